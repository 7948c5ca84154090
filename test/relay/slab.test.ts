/** Copies on a slab: over one another, and never over one that is kept. */
import { describe, expect, test } from 'vitest';
import { Slab } from '../../proxy/relay/slab.ts';

const SLAB_BYTES = 64 * 1024;
const VIEW_MAX_BYTES = 1024;
const octets = Buffer.from(Array.from({ length: SLAB_BYTES + 1 }, (_, i) => i % 251));
const whereIs = ({ buffer, byteOffset }: Uint8Array) => [buffer, byteOffset] as const;

test('a copy is what it was copied from, and stays so', () => {
  const source = Buffer.from('xabcx');
  const copy = new Slab().copyOf(source, 1, 4);
  source.fill(0);
  expect(Buffer.from(copy).toString()).toBe('abc');
});

test('what is not kept is where the next copy is made', () => {
  const slab = new Slab();
  const first = slab.copyOf(octets, 0, 10);
  const next = slab.copyOf(octets, 20, 50);
  expect(whereIs(next)).toEqual(whereIs(first));
});

describe.each([-1, 0, 1])('the longest view that is used again and %i', (more) => {
  test('is the same for copies of the same length, until one is kept', () => {
    const slab = new Slab();
    const copy = () => slab.copyOf(octets, 0, VIEW_MAX_BYTES + more);
    const first = copy();
    expect(copy() === first).toBe(more <= 0);
    slab.keep(first);
    const next = copy();
    expect(next.byteOffset).toBe(first.byteOffset + first.length);
    expect(copy() === next).toBe(more <= 0);
  });
});

test('what is kept is never written to again', () => {
  const slab = new Slab();
  const kept: { readonly copy: Uint8Array; readonly from: number; readonly to: number }[] = [];
  for (let i = 0; i < 200; i++) {
    const from = (i * 37) % 1000;
    const to = from + 1 + ((i * 1009) % 20_000);
    const copy = slab.copyOf(octets, from, to);
    if (i % 3 === 0) continue;
    slab.keep(copy);
    kept.push({ copy, from, to });
  }
  for (const { copy, from, to } of kept) expect(octets.subarray(from, to).equals(copy)).toBe(true);
});

describe.each([-1, 0, 1])('the size of a slab and %i', (more) => {
  test('one that is longer is on memory of its own, and the slab is as it was', () => {
    const slab = new Slab();
    const before = slab.copyOf(octets, 0, 1);
    const copy = slab.copyOf(octets, 0, SLAB_BYTES + more);
    expect(copy.buffer === before.buffer).toBe(more <= 0);
    expect(octets.subarray(0, SLAB_BYTES + more).equals(copy)).toBe(true);
    if (more > 0) slab.keep(copy);
    expect(whereIs(slab.copyOf(octets, 0, 1))).toEqual(whereIs(before));
  });

  test('one that no longer fits behind what is kept is on another slab', () => {
    const slab = new Slab();
    const kept = slab.copyOf(octets, 0, 100);
    slab.keep(kept);
    const copy = slab.copyOf(octets, 0, SLAB_BYTES - 100 + more);
    expect(copy.buffer === kept.buffer).toBe(more <= 0);
    expect(octets.subarray(0, 100).equals(kept)).toBe(true);
  });
});
