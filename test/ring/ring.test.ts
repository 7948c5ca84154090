import { describe, expect, test } from 'vitest';
import { MAX_RING_SIZE, moved, Ring } from '../../ring/index.ts';

const pods = (count: number) => Array.from({ length: count }, (_, i) => `pod-${i + 1}`);
const users = (count: number) => Array.from({ length: count }, (_, i) => `user-${i}`);

describe('keys', () => {
  test('are sorted by code point and distinct', () => {
    const ring = Ring.of(['b', 'a', '😀', '～', 'b', 'é']);
    // U+1F600 is above U+FF5E, though its first UTF-16 unit is below.
    expect(ring.keys).toEqual(['a', 'b', 'é', '～', '😀']);
    expect(Ring.of(['ab', 'a', 'abc']).keys).toEqual(['a', 'ab', 'abc']);
  });

  test.each([
    ['an empty one', '', 'a ring key is empty: each pod needs a name (or an address)'],
    ['one with a line feed', 'a\nb', 'ring key "a\\nb" contains a line feed'],
    ['a lone surrogate', 'a\ud800', 'ring key "a\\ud800" contains a lone surrogate'],
  ])('%s is refused', (_, key, message) => {
    expect(() => Ring.of(['ok', key])).toThrow(new RangeError(message));
  });
});

describe('size', () => {
  test('is 4096 points for each pod, unless told otherwise', () => {
    expect([0, 1, 3, 10].map((count) => Ring.of(pods(count)).size)).toEqual([4096, 4096, 12_288, 40_960]);
    expect(Ring.of(pods(3), { pointsPerPod: 16 }).size).toBe(48);
    expect(Ring.of(pods(3), { size: 1024 }).size).toBe(1024);
  });

  test('and keys rebuild the ring, as a producer does with a published one', () => {
    const ring = Ring.of(pods(7), { keyKind: 'address' });
    const rebuilt = Ring.of(ring.keys, { size: ring.size, keyKind: ring.keyKind });
    expect(rebuilt.version).toBe(ring.version);
    expect(moved(ring, rebuilt, users(2000))).toEqual([]);
  });

  test.each([0, -1, 1.5, Number.NaN, Infinity, MAX_RING_SIZE + 1])('%d is refused', (size) => {
    expect(() => Ring.of(['a'], { size })).toThrow(`ring size must be an integer from 1 to 8388608, not ${size}`);
    expect(() => Ring.of(['a'], { pointsPerPod: size })).toThrow(RangeError);
  });

  test('one and the greatest are taken', () => {
    expect(Ring.of([], { size: MAX_RING_SIZE }).size).toBe(8_388_608);
    expect(Ring.of(pods(3), { size: 1 }).owners('alice', 3)).toHaveLength(3);
  });

  test('more points in all than the greatest size are refused', () => {
    const half = MAX_RING_SIZE / 2;
    expect(() => Ring.of(pods(3), { pointsPerPod: half })).toThrow(
      'ring size of 3 keys with 4194304 points each must be an integer from 1 to 8388608, not 12582912',
    );
  });

  test('size and pointsPerPod together are refused', () => {
    expect(() => Ring.of(['a'], { size: 1024, pointsPerPod: 1024 })).toThrow('either size or pointsPerPod');
  });
});

describe('an empty ring', () => {
  const empty = Ring.of([]);

  test('has no owners, and a version', () => {
    expect(empty.owner('alice')).toBeUndefined();
    expect(empty.owners('alice', 3)).toEqual([]);
    expect(empty.version).toMatch(/^[0-9a-f]{16}$/);
  });

  test('users move to the first pod, and away from the last', () => {
    const one = Ring.of(['pod-1']);
    expect(moved(empty, one, ['alice'])).toEqual([{ user: 'alice', from: undefined, to: 'pod-1' }]);
    expect(moved(one, empty, ['alice'])).toEqual([{ user: 'alice', from: 'pod-1', to: undefined }]);
  });
});

describe('version', () => {
  test('names size, key kind and keys, and nothing else', () => {
    const version = Ring.of(['a', 'b']).version;
    expect(Ring.of(['b', 'a', 'b']).version).toBe(version);
    const others = [
      Ring.of(['a']),
      Ring.of(['a', 'c']),
      Ring.of(['ab']),
      Ring.of(['a', 'b'], { keyKind: 'address' }),
      Ring.of(['a', 'b'], { size: 1024 }),
      Ring.of([]),
    ].map((ring) => ring.version);
    expect(new Set([version, ...others]).size).toBe(7);
  });

  test('is the hash that docs/RING.md tells', () => {
    // xxh64 of "8192\nname\na\nb", by another implementation.
    expect(Ring.of(['b', 'a']).version).toBe('c1692b740ef2ef98');
  });
});

test('the key kind changes nothing but the version', () => {
  const keys = ['10.0.0.1:80', '10.0.0.2:80'];
  expect(moved(Ring.of(keys), Ring.of(keys, { keyKind: 'address' }), users(1000))).toEqual([]);
});

test('owners gives as many as there are, for any k', () => {
  const ring = Ring.of(pods(3));
  expect([-1, 0, 1, 2, 3, 4, Infinity].map((k) => ring.owners('alice', k).length)).toEqual([0, 0, 1, 2, 3, 3, 3]);
});

test('a ring cannot be changed', () => {
  const ring = Ring.of(pods(3));
  expect(Object.isFrozen(ring) && Object.isFrozen(ring.keys)).toBe(true);
});

test('moved tells users in their order, with both owners', () => {
  const a = Ring.of(['pod-1', 'pod-2']);
  const b = Ring.of(['pod-2']);
  const of1 = users(50).filter((user) => a.owner(user) === 'pod-1');
  expect(of1.length).toBeGreaterThan(10);
  expect(moved(a, b, users(50))).toEqual(of1.map((user) => ({ user, from: 'pod-1', to: 'pod-2' })));
  expect(moved(a, a, users(50))).toEqual([]);
});
