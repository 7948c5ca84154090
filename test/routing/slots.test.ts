/** Whatever happens in whatever order, no slot of a pod is ever lost, and in the end every session is at its owner. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { PodState } from '../../proxy/discovery/index.ts';
import { Routing } from '../../proxy/routing/index.ts';
import { OPTIONS, pod, topology } from './world.ts';

type State = PodState | 'gone';
const NAMES = ['a', 'b', 'c', 'd'];

type Step =
  | {
      readonly do: 'open' | 'close' | 'connect' | 'arrive' | 'fail' | 'lose';
      readonly at: number;
      readonly blame: 'pod' | 'session';
    }
  | { readonly do: 'pods'; readonly states: readonly State[] }
  | { readonly do: 'wait'; readonly ms: number };

const at = fc.nat(99);
const blame = fc.constantFrom<'pod' | 'session'>('pod', 'session');
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constantFrom('open', 'connect', 'arrive', 'connect', 'arrive', 'fail', 'lose', 'close'),
      at,
      blame,
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('pods' as const),
      states: fc.array(fc.constantFrom<State>('serving', 'serving', 'draining', 'unready', 'gone'), {
        minLength: 4,
        maxLength: 4,
      }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('wait' as const), ms: fc.nat(3_000) }) },
);

/** What sessions do, as simple as can be: each has at most one link on its way. */
class Model {
  readonly routing = new Routing({ ...OPTIONS, inFlightPerPod: 3 }, () => 0.5);
  now = 0;
  readonly #sessions = new Map<
    number,
    { pod: string | undefined; next: { id: string; isConnected: boolean } | undefined }
  >();
  #last = 0;

  run(steps: readonly Step[]): void {
    this.pods(['serving', 'serving', 'serving', 'gone']);
    for (const each of steps) {
      if (each.do === 'pods') this.pods(each.states);
      else if (each.do === 'wait') this.until(this.now + each.ms);
      else this.#act(each.do, each.at, each.blame);
      this.decide();
    }
  }

  pods(states: readonly State[]): void {
    const listed = NAMES.flatMap((name, i) => {
      const state = states[i];
      return state === undefined || state === 'gone' ? [] : [pod(name, state)];
    });
    this.routing.topology(topology(...listed), this.now);
  }

  #act(what: string, index: number, blamed: 'pod' | 'session'): void {
    if (what === 'open') return this.#open();
    const ids = [...this.#sessions.keys()];
    const id = ids[index % ids.length];
    const session = id === undefined ? undefined : this.#sessions.get(id);
    if (id === undefined || session === undefined) return;
    const { next } = session;
    if (what === 'close') {
      this.#sessions.delete(id);
      this.routing.close(id);
    } else if (what === 'lose' && session.pod !== undefined) this.#lose(id, blamed);
    else if (what === 'connect' && next !== undefined && !next.isConnected) {
      next.isConnected = true;
      this.routing.connected(id, index * 10);
    } else if (what === 'arrive' && next?.isConnected === true) this.#arrive(id);
    else if (what === 'fail' && next !== undefined) this.#fail(id, blamed);
  }

  #open(): void {
    const id = ++this.#last;
    this.#sessions.set(id, { pod: undefined, next: undefined });
    this.routing.open(id, `u${id % 5}`, `u${id % 5}`);
    this.routing.request(id, 'open', 0, this.now);
  }

  #lose(id: number, blamed: 'pod' | 'session'): void {
    const session = this.#session(id);
    this.routing.lost(id, byId(session.pod ?? ''), blamed, this.now);
    session.pod = undefined;
    if (session.next === undefined) this.routing.request(id, 'recovery', 0, this.now);
  }

  #arrive(id: number): void {
    const session = this.#session(id);
    session.pod = session.next?.id;
    session.next = undefined;
    this.routing.arrived(id, byId(session.pod ?? ''), this.now);
  }

  #fail(id: number, blamed: 'pod' | 'session'): void {
    const session = this.#session(id);
    const failed = byId(session.next?.id ?? '');
    session.next = undefined;
    this.routing.failed(id, failed, blamed, this.now);
    if (session.pod === undefined) this.routing.request(id, 'recovery', 1, this.now);
  }

  decide(): void {
    for (const { session: id, pod: granted } of this.routing.tick(this.now).grants) {
      const session = this.#session(id);
      const replaced = session.next;
      session.next = { id: granted.id, isConnected: false };
      if (replaced !== undefined) this.routing.failed(id, byId(replaced.id), 'session', this.now);
    }
    const onTheirWay = [...this.#sessions.values()].filter(({ next }) => next?.isConnected === false).length;
    expect(this.routing.governed.inFlight).toBe(onTheirWay);
  }

  until(ms: number): void {
    for (let atMs = this.routing.nextDeadline(this.now); atMs <= ms; atMs = this.routing.nextDeadline(this.now)) {
      expect(atMs).toBeGreaterThanOrEqual(this.now);
      this.now = Math.max(atMs, this.now + 0.01);
      this.decide();
    }
    this.now = ms;
  }

  /** Every link comes to life from now on. */
  heal(): void {
    this.pods(['serving', 'serving', 'serving', 'serving']);
    for (let i = 0; i < 200; i++) {
      this.decide();
      for (const [id, { next }] of this.#sessions) {
        if (next === undefined) continue;
        if (!next.isConnected) this.routing.connected(id, 10);
        this.#arrive(id);
      }
      this.until(this.now + 100);
    }
  }

  checkHealed(): void {
    expect(this.routing.governed).toEqual({ queued: 0, inFlight: 0, astray: 0 });
    expect(this.routing.committed.keys).toEqual(NAMES);
    for (const [id, session] of this.#sessions)
      expect(session.pod).toBe(`uid-${this.routing.target.owner(`u${id % 5}`)}`);
  }

  #session(id: number) {
    const session = this.#sessions.get(id);
    if (session === undefined) throw new Error(`a grant for session ${id}, which is closed`);
    return session;
  }
}

const byId = (id: string) => pod(id.replace('uid-', ''));

test('links on their way are counted exactly, and in the end every session is at its owner', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const model = new Model();
      model.run(steps);
      model.heal();
      model.checkHealed();
    }),
    { numRuns: 300 },
  );
});
