/** Users whose sessions are at different pods: who misses what the others get, and when that is over. */
import { expect, test } from 'vitest';
import { pod, userOf, World } from './world.ts';

const ABC = userOf('a', 'b', 'c');

const wereApart = ({ routing, now }: World) => routing.tick(now).wereApart;

/** Session 1 is at its owner a; session 2 began at b, because a did not take it. */
function split() {
  const world = new World(['a', 'b', 'c']);
  const first = world.linked(ABC);
  const second = world.open(ABC);
  expect(world.grants()).toEqual([`${second} open a`]);
  world.fails(second, 'a', 'pod');
  world.routing.request(second, 'open', 1, world.now);
  expect(world.until(1_000).some((grant) => grant.endsWith(`${second} open b`))).toBe(true);
  world.connect(second, 'b');
  expect(wereApart(world)).toEqual([]);
  return { world, first, second };
}

test('one that began elsewhere is told when it is where the others are', () => {
  const { world, second } = split();
  world.connect(second, 'a');
  expect(wereApart(world)).toEqual([second]);
  expect(wereApart(world)).toEqual([]);
});

test('so is one whose sibling has left', () => {
  const { world, first, second } = split();
  world.routing.close(first);
  expect(wereApart(world)).toEqual([second]);
});

test('one that loses its link is told of that gap, which is enough', () => {
  const { world, second } = split();
  world.loses(second, 'b');
  world.connect(second, 'a');
  expect(wereApart(world)).toEqual([]);
});

test('one that has ended is told nothing', () => {
  const { world, second } = split();
  world.routing.close(second);
  expect(wereApart(world)).toEqual([]);
});

test('sessions that move one after the other are not apart: until the commit all read the pod that is left', () => {
  const world = new World(['a', 'b', 'c']);
  const sessions = [world.linked(ABC), world.linked(ABC)];
  world.pods(pod('a', 'draining'), 'b', 'c');
  world.grants();
  for (const session of sessions) {
    world.connect(session, 'b');
    expect(wereApart(world)).toEqual([]);
  }
  for (const session of sessions) world.routing.drained(session, pod('a'));
  expect(wereApart(world)).toEqual([]);
});

test('one that cannot move in time is apart from the commit on, and told when it has moved', () => {
  const world = new World(['a', 'b', 'c'], { commitMaxMs: 5_000 });
  const [first, second] = [world.linked(ABC), world.linked(ABC)];
  world.pods(pod('a', 'draining'), 'b', 'c');
  world.grants();
  world.connect(first, 'b');
  world.fails(second, 'b');
  world.until(6_000);
  expect(world.routing.committed).toBe(world.routing.target);
  world.connect(second, 'b');
  expect(wereApart(world)).toEqual([second]);
});

test('one that a commit leaves behind where its sibling is not is told, though it has not moved before', () => {
  const world = new World(['a', 'b', 'c'], { commitMaxMs: 5_000 });
  const began = (...pods: string[]) => {
    const session = world.open(ABC);
    for (const [attempt, at] of pods.entries()) {
      if (attempt > 0) world.routing.request(session, 'open', attempt, world.now);
      const granted = [...world.grants(), ...world.until(world.now + 100)];
      expect(granted.some((grant) => grant.endsWith(`${session} open ${at}`))).toBe(true);
      if (attempt < pods.length - 1) world.fails(session, at, 'pod');
      else world.connect(session, at);
    }
    return session;
  };
  const first = began('a', 'b');
  const second = began('b', 'c');
  world.pods('a', pod('b', 'draining'), 'c');
  world.until(world.now + 6_000);
  expect(world.routing.committed.keys).toEqual(['a', 'c']);
  world.connect(first, 'a');
  expect(wereApart(world)).toEqual([first]);
  world.connect(second, 'a');
  expect(wereApart(world)).toEqual([second]);
});

test('users with one session are never apart', () => {
  const world = new World(['a', 'b', 'c']);
  const only = world.open(ABC);
  world.grants();
  world.fails(only, 'a', 'pod');
  world.connect(only, 'b');
  world.connect(only, 'a');
  expect(wereApart(world)).toEqual([]);
});
