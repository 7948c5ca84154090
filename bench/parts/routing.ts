/** What it costs to decide where sessions go, by how many pods and sessions there are. In virtual time: nothing is connected. */
import type { Pod } from '../../proxy/discovery/index.ts';
import { topologyOf } from '../../proxy/discovery/topology-of.ts';
import { type Grant, Routing } from '../../proxy/routing/index.ts';
import type { Outcome, Solo } from '../part.ts';
import { quantileOf } from '../statistics.ts';
import { medianCpuMs } from './cpu-time.ts';

const RUNS = 3;
const US_PER_MS = 1000;
const CONNECTED_AFTER_MS = 1;

export const routing: Solo = {
  name: 'routing',
  description:
    'where sessions go: newcomers, a pod that is replaced, no pod at all, by how many pods and sessions there are',
  run: async () => ({ ...newcomers(), ...replacements(), ...outages() }),
};

function newcomers(): Record<string, Outcome> {
  const sessions = 5_000;
  return Object.fromEntries(
    [
      ...[2, 20, 100, 500].map((pods) => ({ pods, perUser: 1, name: `${pods} pods` })),
      { pods: 10, perUser: sessions, name: `10 pods, ${sessions} of one user` },
    ].map(({ pods, perUser, name }) => {
      const worlds = Array.from({ length: RUNS }, () => new World(pods));
      const ms = medianCpuMs(RUNS, () => worlds.pop()?.fill(sessions, perUser));
      return [`a session's first link, ${name}`, { figures: { 'CPU µs': (ms / sessions) * US_PER_MS } }];
    }),
  );
}

/** Users of several sessions are to be kept together, which is more to decide. */
function replacements(): Record<string, Outcome> {
  return Object.fromEntries(
    [
      { pods: 10, sessions: 2_000, perUser: 1 },
      { pods: 10, sessions: 20_000, perUser: 1 },
      { pods: 10, sessions: 20_000, perUser: 2 },
      { pods: 10, sessions: 20_000, perUser: 1_000 },
      { pods: 100, sessions: 20_000, perUser: 2 },
    ].map(({ pods, sessions, perUser }) => {
      const worlds = Array.from({ length: RUNS }, () => new World(pods).fill(sessions, perUser));
      const moved: Moved[] = [];
      const ms = medianCpuMs(RUNS, () => moved.push((worlds.pop() as World).replaceOne()));
      const each =
        ms /
        quantileOf(
          moved.map(({ sessions }) => sessions),
          0.5,
        );
      const longest = quantileOf(
        moved.map(({ longestMs }) => longestMs),
        0.5,
      );
      return [
        `one of ${pods} pods replaced, ${sessions} sessions, ${perUser} a user`,
        { figures: { 'CPU µs each that moves': each * US_PER_MS, 'longest step ms': longest } },
      ];
    }),
  );
}

/** All pods refuse all links, as those that are down do, or each session for reasons of its own, as those do where its path is not known. */
function outages(): Record<string, Outcome> {
  const sessions = 20_000;
  const ms = 20_000;
  const outage = (pods: number, blame: Blame, name: string): [string, Outcome] => {
    const worlds = Array.from({ length: RUNS }, () => new World(pods).fill(sessions).withoutLinks(blame));
    const longest: number[] = [];
    const cpuMs = medianCpuMs(RUNS, () => longest.push((worlds.pop() as World).isRefused(ms, blame)));
    const figures = { 'CPU ms a second': (1000 * cpuMs) / ms, 'longest step ms': quantileOf(longest, 0.5) };
    return [`${pods} pods that refuse ${name}, ${sessions} sessions`, { figures }];
  };
  return Object.fromEntries([
    outage(10, 'pod', 'all'),
    outage(100, 'pod', 'all'),
    outage(10, 'session', 'each session with an answer'),
  ]);
}

type Blame = 'pod' | 'session';

interface Moved {
  readonly sessions: number;
  /** For so long the event loop would have stood still. */
  readonly longestMs: number;
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
  readonly #places = new Map<number, Pod>();
  readonly #attempts = new Map<number, number>();
  #pods: readonly Pod[];
  #now = 0;
  #longestMs = 0;

  constructor(pods: number) {
    this.#pods = Array.from({ length: pods }, (_, i) => podOf(i));
    this.#follow();
  }

  /** Sessions that come one by one. */
  fill(sessions: number, perUser = 1): this {
    for (let session = 1; session <= sessions; session++) {
      const user = `user-${Math.floor(session / perUser)}`;
      this.#routing.open(session, user, user);
      this.#routing.request(session, 'open', 0, this.#now);
      this.#work();
    }
    return this;
  }

  /** The first pod drains and another one comes. */
  replaceOne(): Moved {
    const [first, ...others] = this.#pods;
    this.#pods = [{ ...(first as Pod), state: 'draining' }, ...others, podOf(this.#pods.length)];
    this.#longestMs = 0;
    this.#step(() => this.#follow());
    return { sessions: this.#work(), longestMs: this.#longestMs };
  }

  /** All links are lost, and no session has looked for another one yet. */
  withoutLinks(blame: Blame): this {
    for (const [session, pod] of this.#places) {
      this.#routing.lost(session, pod, blame, this.#now);
      this.#routing.request(session, 'recovery', 0, this.#now);
    }
    return this;
  }

  /** @returns the longest step in this much time */
  isRefused(ms: number, blame: Blame): number {
    const untilMs = this.#now + ms;
    this.#longestMs = 0;
    while (this.#now < untilMs) {
      const { grants } = this.#step(() => this.#routing.tick(this.#now));
      for (const { session, pod } of grants) this.#step(() => this.#refuse(session, pod, blame));
      this.#now = Math.min(untilMs, Math.max(this.#now, this.#routing.nextDeadline(this.#now)));
    }
    return this.#longestMs;
  }

  #refuse(session: number, pod: Pod, blame: Blame): void {
    const attempts = 1 + (this.#attempts.get(session) ?? 0);
    this.#attempts.set(session, attempts);
    this.#routing.failed(session, pod, blame, this.#now);
    this.#routing.request(session, 'recovery', attempts, this.#now);
  }

  #follow(): void {
    this.#routing.topology(topologyOf(this.#pods, 'static'), this.#now);
  }

  /** Until nothing is left to do. @returns how many were granted a link */
  #work(): number {
    for (let granted = 0; ; ) {
      const { grants } = this.#step(() => this.#routing.tick(this.#now));
      for (const grant of grants) this.#connect(grant);
      granted += grants.length;
      const next = this.#routing.nextDeadline(this.#now);
      if (grants.length === 0 && next === Number.POSITIVE_INFINITY) return granted;
      this.#now = grants.length > 0 ? this.#now + CONNECTED_AFTER_MS : Math.max(next, this.#now);
    }
  }

  #step<T>(work: () => T): T {
    const began = performance.now();
    const result = work();
    this.#longestMs = Math.max(this.#longestMs, performance.now() - began);
    return result;
  }

  #connect({ session, pod }: Grant): void {
    this.#routing.connected(session, CONNECTED_AFTER_MS);
    this.#routing.arrived(session, pod, this.#now);
    this.#places.set(session, pod);
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
