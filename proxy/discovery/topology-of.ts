import type { Pod, Topology } from './topology.ts';

/** A snapshot with its pods in the one order that all processes agree on. */
export function topologyOf(pods: Iterable<Pod>, source: string): Topology {
  return { pods: [...pods].sort(byName), source };
}

/** By code units and not by locale: two proxies in different locales must not differ. */
function byName(a: Pod, b: Pod): number {
  if (a.name !== b.name) return a.name < b.name ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

export function sameTopology(a: Topology, b: Topology): boolean {
  return a.source === b.source && a.pods.length === b.pods.length && a.pods.every((pod, i) => samePod(pod, b.pods[i]));
}

function samePod(a: Pod, b: Pod | undefined): boolean {
  return b !== undefined && a.id === b.id && a.name === b.name && a.address === b.address && a.state === b.state;
}
