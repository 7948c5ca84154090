/** One commit for several processes: the gate alone, and routings of several processes behind it, in virtual time. */
import { describe, expect, test } from 'vitest';
import type { Pod } from '../../proxy/discovery/index.ts';
import { CommitGate } from '../../proxy/workers/commit-gate.ts';
import { pod, userOf, World } from '../routing/world.ts';

const COMMIT_MAX_MS = 30_000;

describe('the gate', () => {
  function gateOf(...members: readonly number[]): CommitGate {
    const gate = new CommitGate(COMMIT_MAX_MS);
    for (const member of members) gate.joins(member);
    return gate;
  }

  test('opens when all are ready for the same ring, once', () => {
    const gate = gateOf(-1, 0, 1);
    gate.ready(-1, 'new', 0);
    gate.ready(0, 'new', 0);
    expect(gate.decide(0)).toBeUndefined();
    gate.ready(1, 'other', 0);
    expect(gate.decide(0)).toBeUndefined();
    gate.ready(1, 'new', 1);
    expect(gate.decide(1)).toBe('new');
    expect(gate.committed).toBe('new');
    expect(gate.decide(1)).toBeUndefined();
    expect(gate.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });

  test('waits for one that was ready and is so no more', () => {
    const gate = gateOf(0, 1);
    gate.ready(0, 'new', 0);
    gate.ready(0, undefined, 1);
    gate.ready(1, 'new', 2);
    expect(gate.decide(2)).toBeUndefined();
    gate.ready(0, 'new', 3);
    expect(gate.decide(3)).toBe('new');
  });

  test('does not wait for one that has ended, but for one that has come in the middle', () => {
    const gate = gateOf(0, 1);
    gate.ready(0, 'new', 0);
    gate.leaves(1, 5);
    gate.joins(1);
    expect(gate.decide(5)).toBeUndefined();
    gate.leaves(1, 6);
    expect(gate.decide(6)).toBe('new');
  });

  test('hears nothing of one that has ended', () => {
    const gate = gateOf(0, 1);
    gate.leaves(1, 0);
    gate.ready(1, 'old', 0);
    gate.ready(0, 'new', 0);
    expect(gate.decide(0)).toBe('new');
  });

  test.each([
    [COMMIT_MAX_MS + 9, undefined],
    [COMMIT_MAX_MS + 10, 'new'],
    [COMMIT_MAX_MS + 11, 'new'],
  ])('leaves one that is stuck behind: at %d', (now, version) => {
    const gate = gateOf(0, 1);
    gate.ready(0, 'new', 10);
    expect(gate.nextDeadline()).toBe(COMMIT_MAX_MS + 10);
    expect(gate.decide(now)).toBe(version);
  });
});

/** Worlds as the workers of one proxy: what the primary does, without the processes. */
class Workers {
  readonly workers: readonly World[];
  readonly gate = new CommitGate(COMMIT_MAX_MS);
  now = 0;

  constructor(count: number, ...pods: readonly string[]) {
    const options = { commitsTogether: true, commitMaxMs: COMMIT_MAX_MS, admitAfterMs: 0, perSecond: 1_000 };
    this.workers = Array.from({ length: count }, () => new World(pods, options));
    for (const index of this.workers.keys()) this.gate.joins(index);
    this.turn();
  }

  get committed(): string[] {
    return this.workers.map(({ routing }) => routing.committed.keys.join());
  }

  pods(...pods: readonly (Pod | string)[]): void {
    for (const world of this.workers) world.pods(...pods);
  }

  /** Everybody decides and hears of the others. @returns sessions whose producers have followed, by worker */
  turn(): number[][] {
    const told = this.workers.map((world) => this.#tick(world));
    for (const [index, { routing }] of this.workers.entries()) this.gate.ready(index, routing.readyToCommit, this.now);
    const version = this.gate.decide(this.now);
    if (version !== undefined) for (const { routing } of this.workers) routing.permitCommit(version);
    return this.workers.map((world, index) => [...(told[index] ?? []), ...this.#tick(world)]);
  }

  #tick(world: World): readonly number[] {
    world.now = this.now;
    return world.routing.tick(this.now).committed;
  }
}

const AB = userOf('a', 'b');

describe('workers', () => {
  test('follow a new ring when the sessions of all of them have moved, and not before', () => {
    const proxy = new Workers(2, 'a', 'b');
    const [one, other] = proxy.workers as [World, World];
    const moving = [one.linked(AB), other.linked(AB)] as const;
    expect(proxy.committed).toEqual(['a,b', 'a,b']);
    proxy.pods(pod('a', 'draining'), 'b');
    proxy.turn();
    one.connect(moving[0], 'b');
    expect(proxy.turn()).toEqual([[], []]);
    expect(proxy.committed).toEqual(['a,b', 'a,b']);
    expect(one.routing.nextDeadline(proxy.now)).toBe(Number.POSITIVE_INFINITY);
    other.connect(moving[1], 'b');
    expect(proxy.turn()).toEqual([[moving[0]], [moving[1]]]);
    expect(proxy.committed).toEqual(['b', 'b']);
  });

  test.each([
    [COMMIT_MAX_MS - 1, 'a,b'],
    [COMMIT_MAX_MS, 'b'],
    [COMMIT_MAX_MS + 1, 'b'],
  ])('do not wait for ever for a session that cannot move: at %d ms', (now, committed) => {
    const proxy = new Workers(2, 'a', 'b');
    const [one] = proxy.workers as [World, World];
    one.linked(AB);
    proxy.pods(pod('a', 'draining'), 'b');
    proxy.turn();
    proxy.now = now;
    proxy.turn();
    expect(proxy.committed).toEqual([committed, committed]);
  });

  test('follow what is permitted, though a session has come astray since all were ready', () => {
    const [world] = new Workers(1, 'a', 'b').workers as readonly [World];
    const session = world.linked(AB);
    world.pods(pod('a', 'draining'), 'b');
    world.grants();
    world.routing.permitCommit(world.routing.target.version);
    expect(world.routing.readyToCommit).toBeUndefined();
    world.grants();
    expect(world.routing.committed.keys).toEqual(['b']);
    world.connect(session, 'b');
    expect(world.routing.tick(0).committed).toEqual([session]);
  });

  test('need no permission for the ring that they follow already', () => {
    const [world] = new Workers(1, 'a', 'b').workers as readonly [World];
    const session = world.linked(AB);
    world.connect(session, 'b');
    expect(world.routing.tick(0).committed).toEqual([]);
    world.connect(session, 'a');
    expect(world.routing.tick(0).committed).toEqual([session]);
  });

  test('that alone make up a proxy follow at once', () => {
    const world = new World(['a', 'b'], { commitsTogether: false });
    world.pods('b');
    world.routing.tick(0);
    expect(world.routing.committed.keys).toEqual(['b']);
  });
});
