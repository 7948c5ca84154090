/** The source of pods that the configuration names. */
import type { Config } from './config/index.ts';
import { fileSource, kubernetesSource, staticSource, type TopologySource } from './discovery/index.ts';
import type { Log } from './log.ts';

/** Changes that never pause are passed on after this many debounces. */
const DEBOUNCES_MAX = 5;

/** Throws when the name of a Kubernetes Service or a list of pods cannot be read. */
export function createSource(config: Config, log: Log): TopologySource {
  const { pods, podsFile, kubernetes, kubeconfig, topology } = config;
  if (podsFile !== undefined) return fileSource({ path: podsFile, log });
  if (kubernetes !== undefined) {
    return kubernetesSource({
      service: `${kubernetes.namespace}/${kubernetes.service}:${kubernetes.portName}`,
      log,
      ...(kubeconfig === undefined ? {} : { kubeconfig }),
      settle: { quietMs: topology.debounceMs, maxMs: topology.debounceMs * DEBOUNCES_MAX },
      listWatch: { inactivityMs: topology.inactivityMs },
    });
  }
  return staticSource((pods ?? []).map(({ name, address }) => `${name}=${address}`).join(','));
}
