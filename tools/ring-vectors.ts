/**
 * Writes ring/vectors.json: test vectors with which a ring in any language can check itself (docs/RING.md).
 * Run it after the algorithm was changed on purpose: node tools/run.mjs tools/ring-vectors.ts
 */
import { writeFileSync } from 'node:fs';
import { hash, Ring, type RingOptions } from '../ring/index.ts';
import { pointsOf } from '../ring/points.ts';

const FILE = new URL('../ring/vectors.json', import.meta.url);

const DESCRIPTION =
  'Test vectors for the ring of docs/RING.md. Hashes are xxHash64, seed 0, of the UTF-8 octets, as 16 hex digits. ' +
  'In each ring: points is the number of points of each key; owners are the owners of users, in their order; ' +
  'walks are the distinct keys in the order of fallback.';

const ALPHABET = 'abcdefghijklmnopqrstuvwxyz0123456789';
const HUNDRED = ALPHABET.repeat(3).slice(0, 100);

/** Lengths on both sides of each step of the algorithm: 4, 8 and 32 octets. */
const LENGTHS = [4, 5, 7, 8, 9, 11, 12, 15, 16, 31, 32, 33, 36, 40, 63, 64, 65, 96];

const TEXTS = [
  '',
  'a',
  'abc',
  'alice',
  ...LENGTHS.map((length) => HUNDRED.slice(0, length)),
  HUNDRED,
  'Zoë',
  '李雷',
  '😀',
  '\0',
];

const USERS = [
  ...[
    'alice',
    'bob',
    'Alice',
    'alice ',
    'alice@example.com',
    'a/b',
    'a%2Fb',
    'a:b',
    'two words',
    'line\nfeed',
    '',
    '0',
    '__proto__',
  ],
  // Composed and decomposed: nothing is normalised.
  ...['Zoë', 'Zoe\u0308', 'мария', '李雷', 'علي', '😀', '👩‍👩‍👧', HUNDRED, '2f9d0f0e-53f6-4b0b-9c5c-0d2f1f2f7a11'],
  ...Array.from({ length: 30 }, (_, i) => `user-${i}`),
];

const named = (count: number) => Array.from({ length: count }, (_, i) => `pod-${i + 1}`);
const DEPLOYMENT = ['2xk9p', '7hq4z', 'b8m2d', 'f6tzn', 'w5c7v'].map((suffix) => `chat-7d9f8b6c5d-${suffix}`);
const ADDRESSES = ['10.1.0.4:8080', '10.1.2.17:8080', '10.1.1.9:8080', '[fd00::12]:8080'];
/** All points of these two have the same hashes: built on the first two stripes of 32 octets of xxHash64. */
const TWINS = [
  'pod-a-that-collides-with-another-one-in-each-of-its-points-00000',
  '-yx.cykpat-collides-with-anotherqz4we5kceach-of-its-points-00000',
];

const RINGS: [name: string, keys: string[], options: RingOptions][] = [
  ['one pod', named(1), {}],
  ['three pods', named(3), {}],
  ['five pods of a deployment', DEPLOYMENT, {}],
  ['ten pods', named(10), {}],
  ['four addresses', ADDRESSES, { keyKind: 'address' }],
  ['three pods, fewer points', named(3), { pointsPerPod: 256 }],
  ['one pod, Envoy default size', named(1), { size: 1024 }],
  ['three pods, Envoy default size', named(3), { size: 1024 }],
  ['ten pods, Envoy default size', named(10), { size: 1024 }],
  ['three pods, size 16384', named(3), { size: 16384 }],
  ['five pods, size 16384', named(5), { size: 16384 }],
  ['ten pods, size 16384', named(10), { size: 16384 }],
  ['four addresses, size 1024', ADDRESSES, { size: 1024, keyKind: 'address' }],
  ['a point for each pod, so that users wrap', named(5), { size: 1 }],
  ['keys outside ASCII, sorted by code point', ['pod-😀', 'pod-～', 'pod-é', 'pod-z'], { pointsPerPod: 16 }],
  ['keys with equal hashes: the first in order wins', [...TWINS, 'pod-1'], { pointsPerPod: 16 }],
];

const hex = (value: bigint) => value.toString(16).padStart(16, '0');

function pointList(ring: Ring) {
  const { high, low, key } = pointsOf(ring.keys, pointsPerKey(ring));
  return Array.from(key, (index, i) => {
    const value = (BigInt(high[i] ?? 0) << 32n) | BigInt(low[i] ?? 0);
    return { hash: hex(value), key: ring.keys[index] };
  });
}

function pointsPerKey(ring: Ring): number {
  return Math.ceil(ring.size / ring.keys.length);
}

function ringVector(name: string, keys: string[], options: RingOptions) {
  const ring = Ring.of(keys, options);
  const points = pointList(ring);
  return {
    name,
    keys: ring.keys,
    keyKind: ring.keyKind,
    size: ring.size,
    points: pointsPerKey(ring),
    version: ring.version,
    firstPoints: points.slice(0, 6),
    lastPoint: points.at(-1),
    owners: USERS.map((user) => ring.owner(user)),
    walks: USERS.slice(0, 10).map((user) => ring.owners(user, 4)),
  };
}

/** The text of the file: one line for each hash and each part of a ring, so that a change shows where it is. */
export function vectorsText(): string {
  const list = (items: unknown[]) => `[\n${items.map((item) => JSON.stringify(item)).join(',\n')}\n]`;
  const object = (parts: object) =>
    `{\n${Object.entries(parts)
      .map(([name, part]) => `"${name}":${JSON.stringify(part)}`)
      .join(',\n')}\n}`;
  const rings = RINGS.map(([name, keys, options]) => object(ringVector(name, keys, options)));
  const hashes = list(TEXTS.map((text) => ({ text, xxh64: hex(hash(text)) })));
  return `{\n"description":${JSON.stringify(DESCRIPTION)},\n"hashes":${hashes},\n"users":${list(USERS)},\n"rings":[\n${rings.join(',\n')}\n]\n}\n`;
}

if (import.meta.main) writeFileSync(FILE, vectorsText());
