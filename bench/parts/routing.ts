/** What it costs to decide where sessions go, by how many pods and sessions there are. In virtual time: nothing is connected. */
import type { Pod } from '../../proxy/discovery/index.ts';
import { topologyOf } from '../../proxy/discovery/topology-of.ts';
import { type Grant, Routing } from '../../proxy/routing/index.ts';
import type { Outcome, Solo } from '../part.ts';
import { medianCpuMs } from './cpu-time.ts';

const RUNS = 3;
const US_PER_MS = 1000;
const CONNECTED_AFTER_MS = 1;

export const routing: Solo = {
  name: 'routing',
  description: 'where sessions go: a newcomer, and a pod that is replaced, by how many pods and sessions there are',
  run: async () => ({ ...newcomers(), ...replacements() }),
};

function newcomers(): Record<string, Outcome> {
  const sessions = 5_000;
  return Object.fromEntries(
    [2, 20, 100, 500].map((pods) => {
      const worlds = Array.from({ length: RUNS }, () => new World(pods));
      const ms = medianCpuMs(RUNS, () => worlds.pop()?.fill(sessions));
      return [`a session's first link, ${pods} pods`, figures(ms, sessions)];
    }),
  );
}

function replacements(): Record<string, Outcome> {
  const pods = 10;
  return Object.fromEntries(
    [2_000, 20_000].map((sessions) => {
      const worlds = Array.from({ length: RUNS }, () => new World(pods).fill(sessions));
      const moved: number[] = [];
      const ms = medianCpuMs(RUNS, () => moved.push(worlds.pop()?.replaceOne() ?? 0));
      return [`one of ${pods} pods replaced, ${sessions} sessions, each that moves`, figures(ms, moved[0] ?? 1)];
    }),
  );
}

function figures(ms: number, sessions: number): Outcome {
  return { figures: { 'CPU µs': (ms / sessions) * US_PER_MS } };
}

class World {
  readonly #routing = new Routing(
    {
      ring: {},
      admitAfterMs: 0,
      perSecond: 500,
      inFlightPerPod: 50,
      commitMaxMs: 30_000,
      retryMaxMs: 5_000,
    },
    Math.random,
  );
  #pods: readonly Pod[];
  #now = 0;

  constructor(pods: number) {
    this.#pods = Array.from({ length: pods }, (_, i) => podOf(i));
    this.#follow();
  }

  /** Sessions that come one by one. */
  fill(sessions: number): this {
    for (let session = 1; session <= sessions; session++) {
      this.#routing.open(session, `user-${session}`, `user-${session}`);
      this.#routing.request(session, 'open', 0, this.#now);
      this.#work();
    }
    return this;
  }

  /** The first pod drains and another one comes. @returns how many sessions have moved */
  replaceOne(): number {
    const [first, ...others] = this.#pods;
    if (first === undefined) return 0;
    this.#pods = [{ ...first, state: 'draining' }, ...others, podOf(this.#pods.length)];
    this.#follow();
    return this.#work();
  }

  #follow(): void {
    this.#routing.topology(topologyOf(this.#pods, 'static'), this.#now);
  }

  /** Until nothing is left to do. @returns how many were granted a link */
  #work(): number {
    for (let granted = 0; ; ) {
      const { grants } = this.#routing.tick(this.#now);
      for (const grant of grants) this.#connect(grant);
      granted += grants.length;
      const next = this.#routing.nextDeadline(this.#now);
      if (grants.length === 0 && next === Number.POSITIVE_INFINITY) return granted;
      this.#now = grants.length > 0 ? this.#now + CONNECTED_AFTER_MS : Math.max(next, this.#now);
    }
  }

  #connect({ session, pod }: Grant): void {
    this.#routing.connected(session, CONNECTED_AFTER_MS, this.#now);
    this.#routing.arrived(session, pod, this.#now);
  }
}

function podOf(index: number): Pod {
  return {
    id: `uid-${index}`,
    name: `pod-${index}`,
    address: `10.0.${index >> 8}.${index & 255}:8080`,
    state: 'serving',
  };
}
