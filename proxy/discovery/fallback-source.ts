/**
 * A source for the start of a proxy while its own source does not answer: another one is asked until it does, once and for all.
 *
 * A proxy that runs keeps the last good pods through every outage; one that starts in the middle of it has none to keep.
 */
import type { Log } from '../log.ts';
import { type Clock, systemClock } from './clock.ts';
import type { Pod, SourceStatus, Topology, TopologySource } from './topology.ts';

export interface FallbackOptions {
  readonly primary: TopologySource;
  readonly fallback: TopologySource;
  /** How long the primary may be silent after the start, before the other one is asked. */
  readonly afterMs: number;
  readonly log: Log;
  readonly clock?: Clock;
}

export function withFallback(options: FallbackOptions): TopologySource {
  return new FallbackSource(options);
}

class FallbackSource implements TopologySource {
  readonly #options: FallbackOptions;
  readonly #clock: Clock;
  #asked: 'nobody' | 'primary' | 'both' | 'primary for ever' = 'nobody';
  #cancelTimer = (): void => {};
  /** What the fallback told last. */
  #pods: readonly Pod[] = [];
  /** Ids that pods had at the fallback, by those that they have at the primary. */
  #ids: ReadonlyMap<string, string> = new Map();

  constructor(options: FallbackOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  start(onTopology: (topology: Topology) => void): void {
    const { primary, fallback, afterMs, log } = this.#options;
    primary.start((topology) => {
      this.#settleOnPrimary(topology);
      onTopology(this.#withKnownIds(topology));
    });
    this.#asked = 'primary';
    this.#cancelTimer = this.#clock.after(afterMs, () => {
      this.#asked = 'both';
      const [source, other] = [primary, fallback].map((each) => each.status(this.#clock.now()).source);
      log.warn(
        { source, fallback: other, afterMs },
        `${source} has not answered since the start; ${other} is asked for the pods until it does`,
      );
      fallback.start((topology) => {
        if (this.#asked !== 'both') return;
        this.#pods = topology.pods;
        onTopology(topology);
      });
    });
  }

  async stop(): Promise<void> {
    this.#cancelTimer();
    await Promise.all([this.#options.primary.stop(), this.#options.fallback.stop()]);
  }

  status(now: number): SourceStatus {
    const primary = this.#options.primary.status(now);
    if (this.#asked !== 'both') return primary;
    const { source, ready, lastError, problems } = this.#options.fallback.status(now);
    const errors = [primary.lastError, lastError].filter((error) => error !== undefined);
    return {
      ...primary,
      source,
      ready,
      problems: primary.problems + problems,
      ...(errors.length === 0 ? {} : { lastError: errors.join('; ') }),
    };
  }

  #settleOnPrimary(topology: Topology): void {
    if (this.#asked === 'primary for ever') return;
    this.#cancelTimer();
    if (this.#asked === 'both') {
      this.#ids = sharedIds(this.#pods, topology.pods);
      this.#options.log.info(
        { source: topology.source },
        `${topology.source} answers; the pods come from it from now on`,
      );
      void this.#options.fallback.stop();
    }
    this.#asked = 'primary for ever';
  }

  #withKnownIds(topology: Topology): Topology {
    if (this.#ids.size === 0) return topology;
    return { ...topology, pods: topology.pods.map((pod) => ({ ...pod, id: this.#ids.get(pod.id) ?? pod.id })) };
  }
}

/** The same address at the moment of the change is the same pod: sessions that are there need not move. */
function sharedIds(before: readonly Pod[], after: readonly Pod[]): Map<string, string> {
  const known = new Map(before.map(({ address, id }) => [address, id]));
  const shared = after.flatMap(({ address, id }): [string, string][] => {
    const knownId = known.get(address);
    return knownId === undefined ? [] : [[id, knownId]];
  });
  return new Map(shared);
}
