import type { Log } from '../log.ts';
import type { Topology } from './topology.ts';
import { sameTopology } from './topology-of.ts';

/** Passes on topologies that differ from the last one, and keeps discovery alive whatever the listener does. */
export class Publisher {
  readonly #log: Log;
  #listener: ((topology: Topology) => void) | undefined;
  #last: Topology | undefined;

  constructor(log: Log) {
    this.#log = log;
  }

  open(listener: (topology: Topology) => void): void {
    this.#listener = listener;
  }

  close(): void {
    this.#listener = undefined;
  }

  get last(): Topology | undefined {
    return this.#last;
  }

  publish(topology: Topology): void {
    if (this.#listener === undefined) return;
    if (this.#last !== undefined && sameTopology(this.#last, topology)) return;
    this.#last = topology;
    this.#log.info({ source: topology.source, ...countStates(topology) }, 'topology changed');
    try {
      this.#listener(topology);
    } catch (error) {
      this.#log.error({ source: topology.source, err: error }, 'a listener of the topology failed');
    }
  }
}

function countStates(topology: Topology): Record<string, number> {
  const count = { serving: 0, draining: 0, unready: 0 };
  for (const pod of topology.pods) count[pod.state] += 1;
  return count;
}
