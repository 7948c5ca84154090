export type { HostPort, KubernetesService, NamedPod, Network } from './addresses.ts';
export { formatHostPort, networkMatcher, parseHostPort } from './addresses.ts';
export type { Config } from './config.ts';
export type { ConfigSources, InForce, LoadedConfig } from './load.ts';
export { loadConfig } from './load.ts';
export type { ConfigProblem } from './problems.ts';
export { formatProblems } from './problems.ts';
export type { KeySource, Source } from './source.ts';
export { formatSource, isStompSource, readsJwt } from './source.ts';
