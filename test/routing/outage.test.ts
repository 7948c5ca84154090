/** All pods are in doubt: each is tried now and then, with one session for all that wait. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { SUSPECT_MIN_MS } from '../../proxy/routing/pod-health.ts';
import { Ring } from '../../ring/index.ts';
import { pod, userOf, World } from './world.ts';

const AB = userOf('a', 'b');

/** Sessions that have lost their links at a and b; both pods are suspect from now on. */
function outage(sessions: number) {
  const world = new World(['a', 'b']);
  const all = Array.from({ length: sessions }, (_, i) => world.linked(`user-${i}`));
  for (const each of all) {
    for (const name of ['a', 'b']) world.routing.lost(each, pod(name), 'pod', world.now);
    world.routing.request(each, 'recovery', 0, world.now);
  }
  return { world, all };
}

test('none is granted anything before a suspicion ends, and then one for each pod, until it is known how that goes', () => {
  const { world } = outage(5);
  expect(world.grants()).toEqual([]);
  expect(world.routing.governed).toMatchObject({ queued: 5, inFlight: 0 });
  expect(world.until(SUSPECT_MIN_MS - 1)).toEqual([]);
  expect(world.until(10 * SUSPECT_MIN_MS)).toEqual(['1000: 1 recovery a', '1000: 2 recovery b']);
  expect(world.routing.governed).toMatchObject({ queued: 3, inFlight: 2 });
});

test('those who had a link go before newcomers', () => {
  const { world, all } = outage(1);
  const newcomer = world.open(AB);
  expect(world.until(SUSPECT_MIN_MS)).toEqual([`1000: ${all[0]} recovery a`, `1000: ${newcomer} open b`]);
});

test('a try that fails is nothing to all others', () => {
  const { world } = outage(50);
  world.grants();
  const owner = vi.spyOn(Ring.prototype, 'owner');
  const owners = vi.spyOn(Ring.prototype, 'owners');
  onTestFinished(() => {
    owner.mockRestore();
    owners.mockRestore();
  });
  for (const at of ['a', 'b']) {
    const [granted = ''] = world.until(world.now + 10 * SUSPECT_MIN_MS).filter((grant) => grant.endsWith(at));
    const session = Number(/: (\d+) /.exec(granted)?.[1]);
    world.fails(session, at, 'pod');
    world.routing.request(session, 'recovery', 1, world.now);
  }
  world.until(world.now + SUSPECT_MIN_MS);
  expect(owners).not.toHaveBeenCalled();
  expect(owner.mock.calls.length).toBeLessThan(10);
});

test('a try for which the pod is not to blame is followed by the next at once', () => {
  const { world } = outage(3);
  world.grants();
  expect(world.until(SUSPECT_MIN_MS)).toEqual(['1000: 1 recovery a', '1000: 2 recovery b']);
  world.fails(1, 'a', 'session');
  expect(world.grants()).toEqual(['3 recovery a']);
});

test('the first pod that is back gets all of them', () => {
  const { world } = outage(5);
  world.grants();
  world.until(SUSPECT_MIN_MS);
  world.connect(1, 'a');
  const granted: string[] = [];
  for (let grants = world.grants(); grants.length > 0; grants = world.grants()) {
    granted.push(...grants);
    for (const grant of grants) if (grant.endsWith('recovery a')) world.connect(Number.parseInt(grant, 10), 'a');
  }
  expect(granted.filter((grant) => grant.endsWith('recovery a'))).toEqual([3, 4, 5].map((id) => `${id} recovery a`));
});

test('one that is on its way to a pod which left the ring and came back waits for no other', () => {
  const world = new World(['a', 'b'], { admitAfterMs: 0 });
  const session = world.linked(AB);
  world.routing.lost(session, pod('b'), 'pod', world.now);
  world.loses(session, 'a', 'session');
  expect(world.grants()).toEqual([`${session} recovery a`]);
  world.pods(pod('a', 'unready'), 'b');
  expect(world.grants()).toEqual([]);
  expect(world.routing.governed).toMatchObject({ queued: 1, inFlight: 1 });
  world.pods('a', 'b');
  expect(world.grants()).toEqual([]);
  expect(world.routing.governed).toMatchObject({ queued: 0, inFlight: 1 });
  expect(world.until(10 * SUSPECT_MIN_MS)).toEqual([]);
});

test('nor does a newcomer that followed another one which has lost its link', () => {
  const world = new World(['a', 'b']);
  const [moved, stays] = [world.linked(AB), world.linked(AB)];
  world.pods(pod('a', 'draining'), 'b');
  expect(world.grants()).toEqual([`${moved} handover b`, `${stays} handover b`]);
  world.connect(moved, 'b');
  const newcomer = world.open(AB);
  expect(world.grants()).toEqual([`${newcomer} open a`]);
  world.routing.lost(moved, pod('b'), 'pod', world.now);
  world.routing.lost(stays, pod('a'), 'session', world.now);
  expect(world.grants()).toEqual([]);
  expect(world.routing.committed.keys).toEqual(['b']);
  expect(world.routing.governed.queued).toBe(0);
});
