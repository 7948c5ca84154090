/** Changes of the ring for more sessions than are looked at in one go. */
import { describe, expect, test } from 'vitest';
import { Backlog, PART } from '../../proxy/routing/backlog.ts';
import { Ring } from '../../ring/index.ts';
import { OPTIONS, pod, World } from './world.ts';

const numbers = (count: number) => Array.from({ length: count }, (_, i) => i);

describe('a backlog', () => {
  test.each([PART - 1, PART])('of %i is taken in one go', (count) => {
    const backlog = new Backlog<number>();
    backlog.fill(numbers(count));
    expect(backlog.take()).toEqual(numbers(count));
    expect(backlog.isEmpty).toBe(true);
    expect(backlog.take()).toEqual([]);
  });

  test('of one more is not', () => {
    const backlog = new Backlog<number>();
    backlog.fill(numbers(PART + 1));
    expect(backlog.take()).toHaveLength(PART);
    expect(backlog.isEmpty).toBe(false);
    expect(backlog.take()).toEqual([PART]);
    expect(backlog.isEmpty).toBe(true);
  });

  test('takes more behind those that are left', () => {
    const backlog = new Backlog<number>();
    backlog.add([]);
    expect(backlog.isEmpty).toBe(true);
    backlog.add(numbers(PART + 1));
    backlog.take();
    backlog.add([7, 8]);
    expect(backlog.take()).toEqual([PART, 7, 8]);
  });

  test('begins anew with others, whatever was left', () => {
    const backlog = new Backlog<number>();
    backlog.fill(numbers(3 * PART));
    backlog.take();
    backlog.fill([7]);
    expect(backlog.take()).toEqual([7]);
    backlog.fill([]);
    expect(backlog.isEmpty).toBe(true);
  });
});

function usersOf(owner: string, count: number): string[] {
  const ring = Ring.of(['a', 'b'], OPTIONS.ring);
  return numbers(10 * count)
    .map((i) => `user-${i}`)
    .filter((user) => ring.owner(user) === owner)
    .slice(0, count);
}

/** The pod b goes. All sessions are at a but the one that comes last; they are looked at in the order in which they came. */
function lastMoves(stay: number) {
  const world = new World(['a', 'b'], { inFlightPerPod: 3 * PART }, () => 0.999_999);
  for (const user of usersOf('a', stay)) world.open(user);
  world.connectAll();
  const [user = ''] = usersOf('b', 1);
  const last = world.linked(user);
  world.pods('a', pod('b', 'draining'));
  return { world, last };
}

describe('a ring that changes', () => {
  test.each([PART - 2, PART - 1])('is known to all of %i sessions and one more at once', (stay) => {
    const { world, last } = lastMoves(stay);
    expect(world.routing.governed.astray).toBe(1);
    expect(world.grants()).toEqual([`${last} handover a`]);
  });

  test('is known to more of them step by step, others are heard in between, and it is not committed before', () => {
    const { world, last } = lastMoves(2 * PART);
    expect(world.routing.governed.astray).toBe(0);
    for (const grants of [[], [`${last} handover a`]]) {
      expect(world.routing.nextDeadline(world.now)).toBe(world.now);
      expect(world.grants()).toEqual(grants);
      expect(world.routing.committed.keys).toEqual(['a', 'b']);
    }
    world.connect(last, 'a');
    world.routing.tick(world.now);
    expect(world.routing.committed.keys).toEqual(['a']);
  });
});
