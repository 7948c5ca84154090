/**
 * The points of a ring, sorted by hash. Each key has the points `hash("<key>_<i>")`, i from 0.
 *
 * Hashes are kept as two halves of 32 bits, since a binary search over those is twice as fast as one that makes a BigInt
 * for each step (bench/ring.ts); 2048 points take 24 KiB.
 */
import { hash } from './hash.ts';

export interface Points {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  /** Index of the key that the point belongs to. */
  readonly key: Uint32Array;
}

/** All points of `keys` with `perKey` points each. Of points with the same hash, the one of the earlier key comes first. */
export function pointsOf(keys: readonly string[], perKey: number): Points {
  const count = keys.length * perKey;
  const high = new Uint32Array(count);
  const low = new Uint32Array(count);
  for (let point = 0; point < count; point++) {
    const key = keys[Math.floor(point / perKey)];
    const [highHalf, lowHalf] = halves(hash(`${key}_${point % perKey}`));
    high[point] = highHalf;
    low[point] = lowHalf;
  }
  const order = sortedOrder(high, low);
  return {
    high: order.map((point) => at(high, point)),
    low: order.map((point) => at(low, point)),
    key: order.map((point) => Math.floor(point / perKey)),
  };
}

/** The index of the first point whose hash is `wanted` or more; past the last point the ring begins again. */
export function firstAt(points: Points, wanted: bigint): number {
  const [high, low] = halves(wanted);
  let from = 0;
  let to = points.high.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const difference = at(points.high, middle) - high || at(points.low, middle) - low;
    if (difference < 0) from = middle + 1;
    else to = middle;
  }
  return from === points.high.length ? 0 : from;
}

const cell = new DataView(new ArrayBuffer(8));

function halves(value: bigint): readonly [high: number, low: number] {
  cell.setBigUint64(0, value);
  return [cell.getUint32(0), cell.getUint32(4)];
}

/** Indices of the points by ascending hash: a radix sort by 16 bits, lowest first. It is stable, which orders equal hashes. */
function sortedOrder(high: Uint32Array, low: Uint32Array): Uint32Array {
  let order: Uint32Array = new Uint32Array(high.length).map((_, point) => point);
  for (const [half, shift] of [
    [low, 0],
    [low, 16],
    [high, 0],
    [high, 16],
  ] as const) {
    order = sortedByDigit(order, half, shift);
  }
  return order;
}

function sortedByDigit(order: Uint32Array, half: Uint32Array, shift: number): Uint32Array {
  const next = new Uint32Array(2 ** 16 + 1);
  for (const value of half) next[((value >>> shift) & 0xffff) + 1] = at(next, ((value >>> shift) & 0xffff) + 1) + 1;
  for (let digit = 1; digit < next.length; digit++) next[digit] = at(next, digit) + at(next, digit - 1);
  const sorted = new Uint32Array(order.length);
  for (const point of order) {
    const digit = (at(half, point) >>> shift) & 0xffff;
    const place = at(next, digit);
    next[digit] = place + 1;
    sorted[place] = point;
  }
  return sorted;
}

function at(numbers: Uint32Array, index: number): number {
  return numbers[index] ?? 0;
}
