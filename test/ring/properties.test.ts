import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { moved, Ring } from '../../ring/index.ts';
import { pointsFrom, pointsOf as sortedPointsOf } from '../../ring/points.ts';
import { envoyCounts, pointsOf, walk } from './oracle.ts';

const key = fc.oneof(
  fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' }).filter((text) => !text.includes('\n')),
  fc.integer({ min: 0, max: 99 }).map((n) => `pod-${n}`),
);
const keys = (minLength: number) => fc.uniqueArray(key, { minLength, maxLength: 8 });
const user = fc.string({ maxLength: 20, unit: 'binary' });
const users = fc.array(user, { minLength: 1, maxLength: 60 });
const pointsPerPod = fc.constantFrom(1, 2, 16, 100, 1024);

const manyUsers = (count: number) => Array.from({ length: count }, (_, i) => `user-${i}`);

test('the ring is the one of the plainest implementation', () => {
  const size = fc.integer({ min: 1, max: 600 });
  fc.assert(
    fc.property(keys(1), size, users, (all, size, some) => {
      const ring = Ring.of(all, { size });
      const points = pointsOf(
        ring.keys,
        ring.keys.map(() => Math.ceil(size / all.length)),
      );
      for (const user of some) {
        expect(ring.owners(user, all.length)).toEqual(walk(points, user));
        expect(ring.owner(user)).toBe(walk(points, user)[0]);
      }
    }),
  );
});

test('a user whose hash is that of a point belongs to its pod: 409,600 points, some alike in their upper half', () => {
  const keys = Array.from({ length: 100 }, (_, i) => `pod-${i}`);
  const ring = Ring.of(keys);
  const wrong = keys.flatMap((key) =>
    Array.from({ length: 4096 }, (_, i) => `${key}_${i}`).filter((user) => ring.owner(user) !== key),
  );
  expect(wrong).toEqual([]);
});

test('the order of keys does not matter, nor do repeats', () => {
  const shuffled = keys(0).chain((all) =>
    fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }), fc.subarray(all)),
  );
  fc.assert(
    fc.property(shuffled, users, pointsPerPod, ([all, other, again], some, points) => {
      const a = Ring.of(all, { pointsPerPod: points });
      const b = Ring.of([...other, ...again], { pointsPerPod: points });
      expect(b.version).toBe(a.version);
      expect(b.keys).toEqual(a.keys);
      for (const user of some) expect(b.owners(user, 9)).toEqual(a.owners(user, 9));
    }),
  );
});

test('owners begins with the owner and has distinct keys; fewer are the beginning of more', () => {
  fc.assert(
    fc.property(keys(1), users, pointsPerPod, (all, some, points) => {
      const ring = Ring.of(all, { pointsPerPod: points });
      for (const user of some) {
        const every = ring.owners(user, all.length);
        expect(every[0]).toBe(ring.owner(user));
        expect([...every].sort()).toEqual([...all].sort());
        for (let k = 0; k <= all.length; k++) expect(ring.owners(user, k)).toEqual(every.slice(0, k));
      }
    }),
  );
});

test('of some keys the first is the first of them among all owners', () => {
  fc.assert(
    fc.property(keys(1), keys(0), users, pointsPerPod, (all, others, some, points) => {
      const ring = Ring.of(all, { pointsPerPod: points });
      const wanted = [...others, ...all.slice(0, 2)];
      for (const user of some) {
        const first = ring.owners(user, all.length).find((owner) => wanted.includes(owner));
        expect(ring.firstOf(user, wanted)).toBe(first);
        expect(ring.firstOf(user, [])).toBeUndefined();
      }
    }),
  );
});

describe('made from another ring, it is the same ring', () => {
  test('point for point', () => {
    fc.assert(
      fc.property(fc.array(keys(0), { minLength: 2, maxLength: 6 }), pointsPerPod, (steps, points) => {
        const sorted = steps.map((step) => Ring.of(step).keys);
        let known = sortedPointsOf(sorted[0] ?? [], points);
        for (const [i, step] of sorted.entries()) {
          known = pointsFrom(known, sorted[i - 1] ?? sorted[0] ?? [], step, points);
          expect(known).toEqual(sortedPointsOf(step, points));
        }
      }),
    );
  });

  test('also where points of two keys are alike: the earlier key comes first', () => {
    const ofB = sortedPointsOf(['b'], 8);
    for (const known of ['a', 'c']) {
      const { high, low, key } = pointsFrom(ofB, [known], [known, 'b'].sort(), 8);
      expect([...key]).toEqual(Array.from({ length: 16 }, (_, i) => i % 2));
      expect([...high]).toEqual([...ofB.high].flatMap((half) => [half, half]));
      expect([...low]).toEqual([...ofB.low].flatMap((half) => [half, half]));
    }
  });

  test('with another size or number of points too', () => {
    const like = Ring.of(['a', 'b', 'c']);
    for (const options of [{ size: 1024 }, { pointsPerPod: 16 }, {}]) {
      const ring = Ring.of(['a', 'b', 'd'], options, like);
      const plain = Ring.of(['a', 'b', 'd'], options);
      expect(ring.version).toBe(plain.version);
      for (const user of manyUsers(500)) expect(ring.owners(user, 3)).toEqual(plain.owners(user, 3));
    }
  });
});

describe('when a pod joins or leaves', () => {
  test('only its own users move, and the order of fallback of all users stays', () => {
    fc.assert(
      fc.property(keys(1), users, pointsPerPod, (all, some, points) => {
        const [pod = '', ...others] = all;
        const withPod = Ring.of(all, { pointsPerPod: points });
        const without = Ring.of(others, { pointsPerPod: points });
        for (const { from, to } of moved(without, withPod, some)) {
          expect(to).toBe(pod);
          expect(from).not.toBe(pod);
        }
        for (const { from } of moved(withPod, without, some)) expect(from).toBe(pod);
        for (const user of some) {
          expect(without.owners(user, 8)).toEqual(withPod.owners(user, 8).filter((owner) => owner !== pod));
        }
      }),
    );
  });

  test('of ten pods by default, with 20,000 users', () => {
    const pods = Array.from({ length: 11 }, (_, i) => `pod-${i}`);
    const eleven = Ring.of(pods);
    for (const pod of pods) {
      const ten = Ring.of(pods.filter((other) => other !== pod));
      const moves = moved(ten, eleven, manyUsers(20_000));
      expect(moves.every(({ to }) => to === pod)).toBe(true);
      expect(moves.length / 20_000).toBeGreaterThan(0.08);
      expect(moves.length / 20_000).toBeLessThan(0.105);
    }
  });

  test('with a fixed size others move too: why it is not the default', () => {
    const pods = Array.from({ length: 11 }, (_, i) => `pod-${i}`);
    const ten = Ring.of(pods.slice(0, 10), { size: 16_384 });
    const eleven = Ring.of(pods, { size: 16_384 });
    const others = moved(ten, eleven, manyUsers(20_000)).filter(({ to }) => to !== 'pod-10');
    expect(others.length / 20_000).toBeGreaterThan(0.05);
  });
});

describe('load at ten pods and 100,000 users', () => {
  const everybody = manyUsers(100_000);
  const ten = Array.from({ length: 10 }, (_, i) => i);

  test.each([
    ['pods of a StatefulSet', ten.map((i) => `chat-${i}`)],
    ['pods named from 1', ten.map((i) => `pod-${i + 1}`)],
    ['pods of a Deployment', ten.map((i) => `chat-7d9f8b6c5d-${((i + 1) * 7_654_321).toString(36).slice(0, 5)}`)],
    ['addresses', ten.map((i) => `10.244.${i % 4}.${i * 23 + 7}:8080`)],
  ])('%s: no pod has more than 1.06 times the mean', (_, keys) => {
    const ring = Ring.of(keys);
    const counts = new Map<string, number>();
    for (const user of everybody) {
      const owner = ring.owner(user) ?? '';
      counts.set(owner, (counts.get(owner) ?? 0) + 1);
    }
    expect(counts.size).toBe(10);
    expect(Math.max(...counts.values()) / 10_000).toBeLessThanOrEqual(1.06);
  });
});

describe('Envoy', () => {
  test('gives each of n hosts exactly our points, for minimum_ring_size = size, at any number of pods', () => {
    for (let pods = 1; pods <= 2048; pods++) {
      const size = 4096 * pods;
      expect(new Set(envoyCounts(pods, size)), `${pods} pods`).toEqual(new Set([4096]));
    }
  });

  test('gives the same number for a fixed size up to 200 pods', () => {
    for (let pods = 1; pods <= 200; pods++) {
      expect(new Set(envoyCounts(pods, 16_384)), `${pods} pods`).toEqual(new Set([Math.ceil(16_384 / pods)]));
    }
  });

  test('chooses the same host', () => {
    fc.assert(
      fc.property(keys(1), fc.constantFrom(1, 7, 1024), users, (all, size, some) => {
        const ring = Ring.of(all, { size });
        const points = pointsOf(ring.keys, envoyCounts(all.length, size));
        for (const user of some) expect(ring.owner(user)).toBe(walk(points, user)[0]);
      }),
      { numRuns: 30 },
    );
  });
});

test('keys whose points all have the same hashes: the first in order wins, whatever the order given', () => {
  const twins = [
    'pod-a-that-collides-with-another-one-in-each-of-its-points-00000',
    '-yx.cykpat-collides-with-anotherqz4we5kceach-of-its-points-00000',
  ];
  for (const keys of [twins, [...twins].reverse()]) {
    const ring = Ring.of(keys);
    for (const user of manyUsers(200)) expect(ring.owners(user, 2)).toEqual([twins[1], twins[0]]);
  }
});
