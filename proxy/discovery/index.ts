export type { Pod, PodState, SourceStatus, Topology, TopologySource } from './topology.ts';
