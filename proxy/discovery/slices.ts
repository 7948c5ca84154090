/**
 * From the EndpointSlices of a Service to its pods. Always computed anew over all slices, never one slice at a time: a pod may stand
 * in two slices while it moves between them, a dual-stack pod always does, and events of different slices arrive in any order.
 *
 * 1. Each endpoint with an address and the wanted port is a sighting of a pod (targetRef.uid; the address where there is none).
 * 2. Sightings of one pod: the slice written last knows its state; the preferred address family gives its address.
 * 3. Pods at one address, or of one name, are ghosts of each other but for one: the living and ready one stays.
 *
 * Hints (zones, nodes) are ignored: with them, proxies in different zones would disagree on the owner of a user.
 */
import { isIPv4, isIPv6 } from 'node:net';
import { formatAddress } from './address.ts';
import type { EndpointSlice, SliceEndpoint, SlicePort } from './endpoint-slice.ts';
import type { StoredSlice } from './slice-store.ts';
import type { Pod, PodState } from './topology.ts';

export type AddressFamily = 'IPv4' | 'IPv6';

export interface UnionPolicy {
  /** '' takes the only port without a name. */
  readonly portName: string;
  /** The family that is used for pods that have both. */
  readonly family: AddressFamily;
}

export interface Union {
  readonly pods: Pod[];
  /** Endpoints that could not be used, and why: what to tell a person. Distinct. */
  readonly problems: string[];
}

interface Sighting {
  readonly id: string;
  readonly name: string;
  readonly address: string;
  readonly family: AddressFamily;
  readonly state: PodState;
  readonly terminating: boolean;
  readonly writtenAt: number;
  readonly slice: string;
}

export function unionOf(slices: readonly StoredSlice[], policy: UnionPolicy): Union {
  const problems = new Set<string>();
  const sightings = slices.flatMap((stored) => sightingsIn(stored, policy, problems));
  const pods = [...groupBy(sightings, (s) => s.id)].map(([, seen]) => mergePod(seen, policy.family));
  const perAddress = [...groupBy(pods, (s) => s.address)].map(([, seen]) => ownerOf(seen, problems));
  const perName = [...groupBy(perAddress, (s) => s.name)].map(([, seen]) => bestOf(seen, compareLife));
  return {
    pods: perName.map(({ id, name, address, state }) => ({ id, name, address, state })),
    problems: [...problems],
  };
}

function sightingsIn({ slice, writtenAt }: StoredSlice, policy: UnionPolicy, problems: Set<string>): Sighting[] {
  // A Service without endpoints keeps one slice with neither endpoints nor ports: nothing is wrong with that.
  if (slice.endpoints.length === 0) return [];
  const family = familyOf(slice, problems);
  const port = portOf(slice, policy.portName, problems);
  if (family === undefined || port === undefined) return [];
  return slice.endpoints.flatMap((endpoint) => {
    if (!isOfFamily(endpoint.address, family)) {
      problems.add(`EndpointSlice ${slice.name}: "${endpoint.address ?? ''}" is not an ${family} address`);
      return [];
    }
    const address = formatAddress(endpoint.address, port);
    return [
      {
        id: endpoint.podUid ?? address,
        name: endpoint.podName ?? address,
        address,
        family,
        state: stateOf(endpoint),
        terminating: endpoint.terminating,
        writtenAt,
        slice: slice.name,
      },
    ];
  });
}

/**
 * `ready` alone does not admit: publishNotReadyAddresses makes it true for everything. `serving` alone does not either: who sets
 * conditions by hand may say serving and not ready, and means it.
 */
function stateOf({ ready, serving, terminating }: SliceEndpoint): PodState {
  if (!serving) return 'unready';
  if (terminating) return 'draining';
  return ready ? 'serving' : 'unready';
}

function familyOf(slice: EndpointSlice, problems: Set<string>): AddressFamily | undefined {
  if (slice.addressType === 'IPv4' || slice.addressType === 'IPv6') return slice.addressType;
  problems.add(
    `EndpointSlice ${slice.name} has addressType ${slice.addressType}; only IPv4 and IPv6 are supported, since a name may stand for many pods`,
  );
  return undefined;
}

function isOfFamily(address: string | undefined, family: AddressFamily): address is string {
  return address !== undefined && (family === 'IPv4' ? isIPv4(address) : isIPv6(address));
}

function portOf(slice: EndpointSlice, name: string, problems: Set<string>): number | undefined {
  const port = slice.ports.find((candidate) => candidate.name === name);
  const problem = portProblem(port, slice.ports, name);
  if (problem !== undefined) problems.add(`EndpointSlice ${slice.name}: ${problem}`);
  return problem === undefined ? port?.port : undefined;
}

function portProblem(port: SlicePort | undefined, all: readonly SlicePort[], name: string): string | undefined {
  if (port === undefined) {
    const wanted = name === '' ? 'port without a name' : `port named "${name}"`;
    const names = all.map((other) => (other.name === '' ? '(no name)' : other.name)).join(', ') || 'no ports at all';
    return `there is no ${wanted}; the Service has: ${names}`;
  }
  if (port.protocol !== 'TCP') return `port "${name}" is ${port.protocol}, not TCP`;
  if (port.port === undefined || port.port < 1 || port.port > 65_535)
    return `port "${name}" has no number to connect to`;
  return undefined;
}

/** What is known of one pod: its state from the freshest sighting of all, its address from the freshest of the better family. */
function mergePod(sightings: readonly Sighting[], preferred: AddressFamily): Sighting {
  const freshest = bestOf(sightings, compareFreshness);
  const ofPreferred = sightings.filter((sighting) => sighting.family === preferred);
  const { address, family } = ofPreferred.length === 0 ? freshest : bestOf(ofPreferred, compareFreshness);
  return { ...freshest, address, family };
}

/**
 * Freshest first. Of slices whose order is unknown, one that says terminating must be the later one, since a pod never comes back
 * from that; and a serving pod that is wrongly kept costs one failed link, one that is wrongly dropped moves all its users.
 */
function compareFreshness(a: Sighting, b: Sighting): number {
  return (
    b.writtenAt - a.writtenAt ||
    Number(b.terminating) - Number(a.terminating) ||
    rank(a.state) - rank(b.state) ||
    compareText(a.slice, b.slice) ||
    compareText(a.address, b.address)
  );
}

/**
 * The living before the dying, the ready before the unready, then the freshest. A pod that got the address of one that still
 * terminates is the one that answers there (the rule that kube-proxy's maintainers settled on for the same case).
 */
function compareLife(a: Sighting, b: Sighting): number {
  return (
    Number(a.terminating) - Number(b.terminating) ||
    rank(a.state) - rank(b.state) ||
    b.writtenAt - a.writtenAt ||
    compareText(a.id, b.id)
  );
}

function rank(state: PodState): number {
  return state === 'serving' ? 0 : state === 'draining' ? 1 : 2;
}

/** Of pods that are said to be at one address, the one that answers there. */
function ownerOf(pods: readonly Sighting[], problems: Set<string>): Sighting {
  const owner = bestOf(pods, compareLife);
  for (const { id, name, address } of pods) {
    if (id === owner.id) continue;
    problems.add(`pod ${name} is left out: its address ${address} belongs to pod ${owner.name} now`);
  }
  return owner;
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function groupBy<T>(values: Iterable<T>, keyOf: (value: T) => string): Map<string, [T, ...T[]]> {
  const groups = new Map<string, [T, ...T[]]>();
  for (const value of values) {
    const group = groups.get(keyOf(value));
    if (group === undefined) groups.set(keyOf(value), [value]);
    else group.push(value);
  }
  return groups;
}

function bestOf<T>(values: readonly T[], compare: (a: T, b: T) => number): T {
  return values.reduce((best, value) => (compare(value, best) < 0 ? value : best));
}
