import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_PODS, RingJsonError, readRing, writeRing } from '../../producer/ring-json.ts';
import { type RingSnapshot, snapshotOf, staticRing } from '../../producer/ring-source.ts';
import { Ring } from '../../ring/index.ts';

const pod = (name: string) => ({ name, address: `10.0.0.1:${8000 + name.charCodeAt(0)}` });
const moving: RingSnapshot = { committed: Ring.of(['a', 'b']), target: Ring.of(['b', 'c', 'd']), podOf: pod };

type Json = Record<string, unknown> & { target: Record<string, unknown> };
const json = (): Json => JSON.parse(JSON.stringify(writeRing(moving)));

describe('the rings as JSON', () => {
  test('tell all that is needed to build them', () => {
    expect(writeRing(moving)).toEqual({
      version: moving.committed.version,
      size: moving.committed.size,
      keyKind: 'name',
      pods: [pod('a'), pod('b')],
      target: { version: moving.target.version, size: moving.target.size, pods: [pod('b'), pod('c'), pod('d')] },
    });
  });

  test.each(['name', 'address'] as const)('come back the same, with keys by %s', (keyKind) => {
    const names = fc.uniqueArray(fc.constantFrom(...'abcdefgh'), { maxLength: 8 });
    fc.assert(
      fc.property(names, names, names, (earlier, committed, target) => {
        const known = snapshotOf(earlier.map(pod), { keyKind, pointsPerPod: 16 });
        const before = [committed, target].map((pods) => snapshotOf(pods.map(pod), { keyKind, pointsPerPod: 16 }));
        const [c, t] = before;
        if (c === undefined || t === undefined) return;
        const both = {
          committed: c.committed,
          target: t.committed,
          podOf: (key: string) => c.podOf(key) ?? t.podOf(key),
        };
        const text = JSON.stringify(writeRing(both));
        const after = readRing(text);
        const faster = readRing(text, known);
        for (const which of ['committed', 'target'] as const)
          for (const user of ['alice', 'bob', 'carol'])
            expect(faster[which].owners(user, 8)).toEqual(after[which].owners(user, 8));
        expect([after.committed.version, after.target.version]).toEqual([c.committed.version, t.committed.version]);
        for (const key of [...after.committed.keys, ...after.target.keys])
          expect(after.podOf(key)).toEqual(both.podOf(key));
      }),
      { numRuns: 30 },
    );
  });

  test('at rest both rings are one', () => {
    const { committed, target } = readRing(JSON.stringify(writeRing(snapshotOf([pod('a')]))));
    expect(target).toBe(committed);
  });

  test('an address that is not known is null, and stays so', () => {
    const gone = { ...moving, podOf: (key: string) => (key === 'a' ? undefined : pod(key)) };
    expect(writeRing(gone).pods[0]).toEqual({ name: 'a', address: null });
    const read = readRing(JSON.stringify(writeRing(gone)));
    expect([read.committed.version, read.podOf('a'), read.podOf('b')]).toEqual([
      moving.committed.version,
      undefined,
      pod('b'),
    ]);
  });

  test.each<[string, (json: Json) => void, RegExp]>([
    [
      'another version',
      (j) => (j['version'] = 'ffffffffffffffff'),
      /^the committed ring: the proxy says version "ffffffffffffffff", but 2 pods.*share the ring/,
    ],
    [
      'another target version',
      (j) => (j.target['version'] = 7),
      /^the target ring: the proxy says version 7, but 3 pods/,
    ],
    ['another size', (j) => (j['size'] = 1024), /^the committed ring: the proxy says version/],
    ['a size of 0', (j) => (j['size'] = 0), /size is not a whole number/],
    ['no target', (j) => Object.assign(j, { target: null }), /^target is not a JSON object/],
    ['pods that are no list', (j) => (j['pods'] = {}), /pods is not a list/],
    ['too many pods', (j) => (j['pods'] = Array(MAX_PODS + 1).fill(pod('a'))), /more than 4096 pods/],
    ['a pod without name', (j) => (j['pods'] = [{ address: 'a:1' }]), /no name/],
    [
      'an address with a path',
      (j) => (j['pods'] = [{ name: 'a', address: 'a:1/x?' }]),
      /pod a: address is not host:port/,
    ],
    ['an address with a user', (j) => (j['pods'] = [{ name: 'a', address: 'x@a:1' }]), /address is not host:port/],
    ['an unknown key kind', (j) => (j['keyKind'] = 'uid'), /keyKind is neither/],
  ])('with %s are refused', (_, change, text) => {
    const changed = json();
    change(changed);
    expect(() => readRing(JSON.stringify(changed))).toThrow(text);
  });

  test('that are anything else are refused, and nothing but that happens', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.json()), (text) => {
        expect(() => readRing(text)).toThrow(RingJsonError);
      }),
    );
  });
});

describe('a static ring', () => {
  test('has the pods it was given', () => {
    const snapshot = staticRing([pod('a'), pod('b')]).current();
    expect([snapshot?.committed.keys, snapshot?.podOf('b')]).toEqual([['a', 'b'], pod('b')]);
    expect(snapshot?.target).toBe(snapshot?.committed);
  });

  test('takes no two pods with one key', () => {
    expect(() => staticRing([pod('a'), pod('a')])).toThrow(/two pods have the key a/);
  });
});
