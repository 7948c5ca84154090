/** Pod health, rate, queues: the small parts of the governor. */
import { describe, expect, test } from 'vitest';
import { aimOf } from '../../proxy/routing/aim.ts';
import { Fleet } from '../../proxy/routing/fleet.ts';
import {
  commonPods,
  drained,
  LEFT_MAX,
  leave,
  newPlace,
  type Place,
  podsOf,
  REFUSED_MAX,
  refused,
} from '../../proxy/routing/place.ts';
import {
  CATCH_UP_MS,
  PodHealth,
  QUICK_CONNECT_MS,
  SLOW_CONNECT_MS,
  SLOW_WINDOW,
  SUSPECT_MAX_MS,
  SUSPECT_MIN_MS,
  TOO_SLOW_MS,
} from '../../proxy/routing/pod-health.ts';
import { Queues } from '../../proxy/routing/queues.ts';
import { TokenBucket } from '../../proxy/routing/token-bucket.ts';
import { Ring } from '../../ring/index.ts';
import { pod, topology } from './world.ts';

describe('the window of a pod', () => {
  const connects = (health: PodHealth, ...times: number[]) => {
    for (const ms of times) {
      health.began();
      health.connected(ms);
    }
    return health.window;
  };

  test('begins at its most', () => {
    const health = new PodHealth(3);
    for (let i = 0; i < 3; i++) {
      expect(health.hasRoom()).toBe(true);
      health.began();
    }
    expect(health.hasRoom()).toBe(false);
  });

  test.each([
    [SLOW_CONNECT_MS, 64],
    [SLOW_CONNECT_MS + 1, 32],
  ])('after a CONNECTED that took %d ms it is %d', (ms, window) => {
    expect(connects(new PodHealth(64), ms)).toBe(window);
  });

  test('slowness leaves some, and it grows again by one with each that is quick', () => {
    const health = new PodHealth(64);
    expect(connects(health, ...Array(9).fill(SLOW_CONNECT_MS + 1))).toBe(SLOW_WINDOW);
    expect(connects(health, QUICK_CONNECT_MS, QUICK_CONNECT_MS)).toBe(SLOW_WINDOW + 2);
    expect(connects(health, QUICK_CONNECT_MS + 1)).toBe(SLOW_WINDOW + 2);
    expect(connects(health, ...Array(99).fill(1))).toBe(64);
  });

  test('after a failure a pod that is always slow gets those too, one by one', () => {
    const health = new PodHealth(64);
    health.failed(0);
    const slow = (count: number) => connects(health, ...Array(count).fill(SLOW_CONNECT_MS + 1));
    expect([slow(1), slow(1), slow(99)]).toEqual([2, 3, SLOW_WINDOW]);
    expect(connects(new PodHealth(2), SLOW_CONNECT_MS + 1)).toBe(2);
  });

  test('grows by one with each window of those that are neither quick nor slow, or it would be one for ever', () => {
    const health = new PodHealth(16);
    health.failed(0);
    const medium = (count: number) => connects(health, ...Array(count).fill(SLOW_CONNECT_MS));
    expect([medium(1), medium(2), medium(3)]).toEqual([2, 2, 3]);
    expect(medium(1000)).toBe(16);
  });

  /** So many sessions without a link are served by SLOW_WINDOW in time. */
  const inTime = (SLOW_WINDOW * CATCH_UP_MS) / TOO_SLOW_MS;
  test.each([
    ['as many as a small window serves in time: small', TOO_SLOW_MS, inTime, SLOW_WINDOW],
    ['more: one more', TOO_SLOW_MS, inTime + 3, SLOW_WINDOW + 1],
    ['more, but CONNECTED comes near its limit: small', TOO_SLOW_MS + 1, 10 * inTime, SLOW_WINDOW],
  ])('of a slow pod, for which there wait %s', (_, ms, waiting, window) => {
    const health = new PodHealth(64);
    connects(health, ...Array(9).fill(SLOW_CONNECT_MS + 1));
    health.began();
    health.connected(ms, waiting);
    expect(health.window).toBe(window);
  });

  test('a failure makes it one', () => {
    const health = new PodHealth(16);
    health.failed(0);
    expect(health.window).toBe(1);
  });

  test('what has ended twice is counted once', () => {
    const health = new PodHealth(2);
    health.began();
    health.ended();
    health.ended();
    expect(health.inFlight).toBe(0);
  });
});

describe('suspicion', () => {
  test.each([
    [SUSPECT_MIN_MS - 1, true],
    [SUSPECT_MIN_MS, false],
  ])('%d ms after the first failure: %j', (ms, suspect) => {
    const health = new PodHealth(1);
    health.failed(0);
    expect(health.isSuspect(ms)).toBe(suspect);
  });

  test('doubles with each failure after it, to a limit; failures during it are one and the same', () => {
    const health = new PodHealth(1);
    const lengths = Array.from({ length: 5 }, () => {
      const now = Math.max(0, health.suspectUntilMs);
      health.failed(now);
      health.failed(now + 1);
      return health.suspectUntilMs - now;
    });
    expect(lengths).toEqual([1_000, 2_000, 4_000, SUSPECT_MAX_MS, SUSPECT_MAX_MS]);
  });

  test('ends with a CONNECTED, and begins small again', () => {
    const health = new PodHealth(1);
    health.failed(0);
    health.failed(1_000);
    health.connected(50);
    expect(health.isSuspect(1_001)).toBe(false);
    health.failed(1_002);
    expect(health.suspectUntilMs).toBe(2_002);
  });
});

describe('the fleet', () => {
  test.each([
    ['serving again', pod('a', 'serving'), pod('a', 'unready')],
    ['at another address', { ...pod('a'), address: 'new:80' }, pod('a')],
  ])('a pod that is %s is trusted again', (_, now, before) => {
    const fleet = new Fleet(1);
    fleet.update(topology(before));
    fleet.healthOf('uid-a').failed(0);
    fleet.update(topology(before));
    expect(fleet.healthOf('uid-a').isSuspect(1)).toBe(true);
    fleet.update(topology(now));
    expect(fleet.healthOf('uid-a').isSuspect(1)).toBe(false);
  });

  test('a pod that is gone is forgotten when no link to it is on its way', () => {
    const fleet = new Fleet(1);
    fleet.update(topology('a'));
    const health = fleet.healthOf('uid-a');
    health.began();
    fleet.update(topology());
    expect(fleet.inFlight).toBe(1);
    health.ended();
    fleet.update(topology());
    expect(fleet.healthOf('uid-a')).not.toBe(health);
  });
});

describe('the rate', () => {
  test('a burst, then one by one', () => {
    const bucket = new TokenBucket(10, 3);
    expect([1, 2, 3, 4].map(() => bucket.take(0))).toEqual([true, true, true, false]);
    expect(bucket.readyAt(0)).toBe(100);
    expect([99, 100, 101].map((ms) => bucket.take(ms))).toEqual([false, true, false]);
  });

  test('no more than the burst after a long rest', () => {
    const bucket = new TokenBucket(10, 2);
    expect([1, 2, 3].map(() => bucket.take(60_000))).toEqual([true, true, false]);
  });

  test('a clock that goes back gives nothing', () => {
    const bucket = new TokenBucket(10, 1);
    bucket.take(1_000);
    expect(bucket.take(0)).toBe(false);
    expect(bucket.take(1_099)).toBe(false);
    expect(bucket.take(1_100)).toBe(true);
  });
});

describe('the queues', () => {
  test('the urgent ones first; among equals first come, first served', () => {
    const queues = new Queues<string>();
    for (const session of ['o1', 'u1', 'o2', 'u2']) queues.put(session, 'a', session.startsWith('u'));
    expect([queues.size, queues.countOf('a'), queues.countOf('b')]).toEqual([4, 4, 0]);
    const order: string[] = [];
    for (let first = queues.first('a'); first !== undefined; first = queues.first('a')) {
      order.push(first);
      queues.remove(first);
    }
    expect(order).toEqual(['u1', 'u2', 'o1', 'o2']);
    expect([queues.size, queues.countOf('a'), ...queues.podIds()]).toEqual([0, 0]);
  });

  test('a session waits in one place; the same place keeps its turn', () => {
    const queues = new Queues<string>();
    queues.put('x', 'a', false);
    queues.put('y', 'a', false);
    queues.put('x', 'a', false);
    expect(queues.first('a')).toBe('x');
    queues.put('x', 'b', false);
    expect([queues.size, queues.first('a'), queues.first('b')]).toEqual([2, 'y', 'x']);
    queues.put('x', 'b', true);
    expect([queues.size, queues.first('b'), queues.countOf('b')]).toEqual([2, 'x', 1]);
  });

  test('all of a pod are taken out, the urgent ones first', () => {
    const queues = new Queues<string>();
    queues.put('o', 'a', false);
    queues.put('u', 'a', true);
    queues.put('b', 'b', true);
    expect(queues.all()).toEqual(['o', 'u', 'b']);
    expect(queues.takeAll('a')).toEqual(['u', 'o']);
    expect(queues.takeAll('a')).toEqual([]);
    expect([queues.size, ...queues.podIds()]).toEqual([1, 'b']);
  });
});

describe('places', () => {
  const at = (now: string, ...left: string[]) => {
    const place = { ...newPlace('u', 'u'), pod: pod(now) };
    for (const name of left) leave(place, pod(name));
    return place;
  };

  test.each([
    [['a'], [at('a')]],
    [['a'], [at('b', 'a'), at('a')]],
    [['b'], [at('c', 'a', 'b'), at('b', 'x')]],
    [
      ['b', 'a'],
      [at('c', 'a', 'b'), at('b', 'a')],
    ],
    [['a'], [at('c', 'a', 'b'), at('d', 'a')]],
    [[], [at('a'), at('b')]],
    [[], []],
  ])('what all of them read is %s', (names, places) => {
    expect(commonPods(places.map(podsOf)).map(({ name }) => name)).toEqual(names);
  });

  test('a message aims at what all of them read, else where producers find the first who reads it', () => {
    const committed = Ring.of(['a', 'b', 'c', 'd']);
    const [first = '', second = '', third = ''] = committed.owners('u', 3);
    const aim = (...places: Place[]) => aimOf(places, committed, ({ name }) => name)?.name;
    expect(aim(at(second, third), at(third, first))).toBe(third);
    expect(aim(at(second, first), at(second, first))).toBe(second);
    expect(aim(at(third), at(second))).toBe(second);
    expect(aim(at(second), at(third, first))).toBe(first);
    expect(aim(at('gone'), at('away'))).toBe('gone');
    expect(aim()).toBeUndefined();
  });

  test('a pod that was left is read until its link has ended', () => {
    const place = at('a', 'b', 'c');
    drained(place, pod('c'));
    expect(podsOf(place).map(({ name }) => name)).toEqual(['a', 'b']);
  });

  test.each([LEFT_MAX - 1, LEFT_MAX, LEFT_MAX + 1])(
    'after leaving %d pods as many as the limit are remembered',
    (n) => {
      expect(at('now', ...Array.from({ length: n }, (_, i) => `p${i}`)).left.length).toBe(Math.min(n, LEFT_MAX));
    },
  );

  test.each([REFUSED_MAX - 1, REFUSED_MAX, REFUSED_MAX + 1])(
    'of %d pods that refused as many as the limit are remembered, the latest',
    (n) => {
      const place = at('a');
      const ids = Array.from({ length: n }, (_, i) => `p${i}`);
      for (const id of ids) refused(place, id);
      expect(place.refusedBy).toEqual(ids.slice(-REFUSED_MAX));
    },
  );
});
