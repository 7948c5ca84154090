import { parseStaticPods } from './static-pods.ts';
import type { SourceStatus, Topology, TopologySource } from './topology.ts';
import { topologyOf } from './topology-of.ts';

/**
 * Pods that never change.
 * @param pods `NAME=HOST:PORT,…`; throws `DiscoveryError` when it cannot be read
 */
export function staticSource(pods: string): TopologySource {
  return new StaticSource(topologyOf(parseStaticPods(pods), 'static'));
}

class StaticSource implements TopologySource {
  readonly #topology: Topology;
  #state: 'new' | 'started' | 'ready' | 'stopped' = 'new';
  #ready = false;

  constructor(topology: Topology) {
    this.#topology = topology;
  }

  start(onTopology: (topology: Topology) => void): void {
    if (this.#state !== 'new') throw new Error('a topology source can be started once');
    this.#state = 'started';
    queueMicrotask(() => {
      if (this.#state !== 'started') return;
      this.#state = 'ready';
      this.#ready = true;
      onTopology(this.#topology);
    });
  }

  async stop(): Promise<void> {
    this.#state = 'stopped';
  }

  status(): SourceStatus {
    return { source: 'static', ready: this.#ready, staleMs: 0, problems: 0, failures: 0 };
  }
}
