import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { hash } from '../../ring/index.ts';
import { vectorsText } from '../../tools/ring-vectors.ts';

/** Known to everybody: the first three stand in the documentation of most xxHash bindings. */
test.each([
  ['', 0xef46db3751d8e999n],
  ['a', 0xd24ec4f1a98c6e5bn],
  ['abc', 0x44bc2cf5ad770999n],
  ['Nobody inspects the spammish repetition', 0xfbcea83c8a378bf1n],
  ['xxhash', 0x32dd38952c4bc720n],
])('xxHash64 of %j', (text, expected) => {
  expect(hash(text)).toBe(expected);
});

/** xxHash64 by its specification (doc/xxhash_spec.md, "XXH64 Algorithm Description"), slow and with BigInt. */
function bySpecification(text: string): bigint {
  const P1 = 0x9e3779b185ebca87n;
  const P2 = 0xc2b2ae3d27d4eb4fn;
  const P3 = 0x165667b19e3779f9n;
  const P4 = 0x85ebca77c2b2ae63n;
  const P5 = 0x27d4eb2f165667c5n;
  const u64 = (value: bigint) => BigInt.asUintN(64, value);
  const rotl = (value: bigint, bits: bigint) => u64((value << bits) | (value >> (64n - bits)));
  const round = (acc: bigint, lane: bigint) => u64(rotl(u64(acc + lane * P2), 31n) * P1);
  const octets = new TextEncoder().encode(text);
  const view = new DataView(octets.buffer);
  let at = 0;
  let acc = P5;
  if (octets.length >= 32) {
    const lanes = [u64(P1 + P2), P2, 0n, u64(-P1)];
    for (; at + 32 <= octets.length; at += 32) {
      for (let i = 0; i < 4; i++) lanes[i] = round(lanes[i] ?? 0n, view.getBigUint64(at + 8 * i, true));
    }
    acc = u64([1n, 7n, 12n, 18n].reduce((sum, bits, i) => sum + rotl(lanes[i] ?? 0n, bits), 0n));
    for (const lane of lanes) acc = u64((acc ^ round(0n, lane)) * P1 + P4);
  }
  acc = u64(acc + BigInt(octets.length));
  for (; at + 8 <= octets.length; at += 8) acc = u64(rotl(acc ^ round(0n, view.getBigUint64(at, true)), 27n) * P1 + P4);
  for (; at + 4 <= octets.length; at += 4)
    acc = u64(rotl(acc ^ u64(BigInt(view.getUint32(at, true)) * P1), 23n) * P2 + P3);
  for (; at < octets.length; at++) acc = u64(rotl(acc ^ u64(BigInt(octets[at] ?? 0) * P5), 11n) * P1);
  acc = u64((acc ^ (acc >> 33n)) * P2);
  acc = u64((acc ^ (acc >> 29n)) * P3);
  return acc ^ (acc >> 32n);
}

test('the library hashes as the specification says, for every length and outside ASCII', () => {
  for (let length = 0; length <= 300; length++) {
    const text = Array.from({ length }, (_, i) => String.fromCharCode(33 + ((i * 31 + length) % 90))).join('');
    expect(hash(text)).toBe(bySpecification(text));
  }
  for (const text of ['é', '李雷', '😀'.repeat(20), '\0', '\ud800', 'x'.repeat(200_000)]) {
    expect(hash(text)).toBe(bySpecification(text));
  }
});

test('the committed test vectors are what the generator gives', () => {
  expect(readFileSync(new URL('../../ring/vectors.json', import.meta.url), 'utf8')).toBe(vectorsText());
});
