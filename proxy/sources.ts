/** The source of pods that the configuration names. */
import type { Config } from './config/index.ts';
import {
  dnsSource,
  fileSource,
  kubernetesSource,
  staticSource,
  type TopologySource,
  withFallback,
} from './discovery/index.ts';
import type { Log } from './log.ts';

/** Changes that never pause are passed on after this many debounces. */
const DEBOUNCES_MAX = 5;

/** Throws when the name of a Kubernetes Service or a list of pods cannot be read. */
export function createSource(config: Config, log: Log): TopologySource {
  const { pods, podsFile, kubernetes } = config;
  if (podsFile !== undefined) return fileSource({ path: podsFile, log });
  if (kubernetes === undefined)
    return staticSource((pods ?? []).map(({ name, address }) => `${name}=${address}`).join(','));
  const primary = fromApi(kubernetes, config, log);
  const fallback = fallbackOf(config, log);
  return fallback === undefined ? primary : withFallback({ primary, fallback, afterMs: config.fallback.afterMs, log });
}

function fromApi(
  { namespace, service, portName }: NonNullable<Config['kubernetes']>,
  { kubeconfig, topology }: Config,
  log: Log,
): TopologySource {
  return kubernetesSource({
    service: `${namespace}/${service}:${portName}`,
    log,
    ...(kubeconfig === undefined ? {} : { kubeconfig }),
    settle: { quietMs: topology.debounceMs, maxMs: topology.debounceMs * DEBOUNCES_MAX },
    listWatch: { inactivityMs: topology.inactivityMs },
  });
}

function fallbackOf({ fallback: { dns, podsFile } }: Config, log: Log): TopologySource | undefined {
  if (dns !== undefined) return dnsSource({ target: dns, log });
  return podsFile === undefined ? undefined : fileSource({ path: podsFile, log });
}
