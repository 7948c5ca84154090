/**
 * The points of a ring, sorted by hash. Each key has the points `hash("<key>_<i>")`, i from 0.
 *
 * Hashes are kept as two halves of 32 bits, since a binary search over those is twice as fast as one that makes a BigInt
 * at each step; a thousand points take 12 kB.
 */
import { hash } from './hash.ts';

export interface Points {
  readonly high: Uint32Array;
  readonly low: Uint32Array;
  /** Index of the key that the point belongs to. */
  readonly key: Uint32Array;
}

/** In place of the index of a key that is not there any more. */
const GONE = -1;

/** All points of `keys` with `perKey` points each. Of points with the same hash, the one of the earlier key comes first. */
export function pointsOf(keys: readonly string[], perKey: number): Points {
  const count = keys.length * perKey;
  const high = new Uint32Array(count);
  const low = new Uint32Array(count);
  const key = new Uint32Array(count);
  let point = 0;
  keys.forEach((name, index) => {
    const prefix = `${name}_`;
    for (let i = 0; i < perKey; i++, point++) {
      [high[point], low[point]] = halves(hash(prefix + i));
      key[point] = index;
    }
  });
  const order = sortedOrder(high, low);
  return { high: picked(high, order), low: picked(low, order), key: picked(key, order) };
}

/**
 * What `pointsOf` gives for `keys`. Of keys that another ring has too the points are taken from there, in place of
 * hashing and sorting them (bench/parts/ring.ts says what that gives).
 * @param known points of `knownKeys`, `perKey` for each
 * @param keys sorted as `knownKeys` are
 */
export function pointsFrom(
  known: Points,
  knownKeys: readonly string[],
  keys: readonly string[],
  perKey: number,
): Points {
  const indexOf = new Map(keys.map((key, index) => [key, index]));
  const stays = Int32Array.from(knownKeys, (key) => indexOf.get(key) ?? GONE);
  for (const key of knownKeys) indexOf.delete(key);
  const fresh = [...indexOf.keys()];
  if (fresh.length === 0 && !stays.includes(GONE)) return known;
  return merged(known, stays, pointsOf(fresh, perKey), Int32Array.from(indexOf.values()), keys.length * perKey);
}

/** Two lists of points as one. `aKeys`, `bKeys`: for each index of a key in the list the one in the result, ascending, or GONE. */
function merged(a: Points, aKeys: Int32Array, b: Points, bKeys: Int32Array, count: number): Points {
  const result = { high: new Uint32Array(count), low: new Uint32Array(count), key: new Uint32Array(count) };
  let inA = 0;
  let to = 0;
  for (let inB = 0; inB < b.key.length; inB++) {
    let next = lowerBound(a, at(b.high, inB), at(b.low, inB));
    while (isAlike(a, next, b, inB) && newKey(a, aKeys, next) < newKey(b, bKeys, inB)) next++;
    to = copy(a, aKeys, inA, next, result, to);
    inA = next;
    to = copy(b, bKeys, inB, inB + 1, result, to);
  }
  copy(a, aKeys, inA, a.key.length, result, to);
  return result;
}

/** Copies points, but those whose keys are gone, to `to`. @returns where the next one goes */
function copy(from: Points, keys: Int32Array, first: number, end: number, result: Points, to: number): number {
  const { high, low, key } = from;
  for (let i = first; i < end; i++) {
    const index = keys[key[i] as number] as number;
    if (index === GONE) continue;
    result.high[to] = high[i] as number;
    result.low[to] = low[i] as number;
    result.key[to++] = index;
  }
  return to;
}

function newKey(points: Points, keys: Int32Array, point: number): number {
  return keys[at(points.key, point)] ?? GONE;
}

function isAlike(a: Points, inA: number, b: Points, inB: number): boolean {
  return inA < a.key.length && at(a.high, inA) === at(b.high, inB) && at(a.low, inA) === at(b.low, inB);
}

/** The index of the first point whose hash is `wanted` or more; past the last point the ring begins again. */
export function firstAt(points: Points, wanted: bigint): number {
  const first = lowerBound(points, ...halves(wanted));
  return first === points.high.length ? 0 : first;
}

/** The index of the first point whose hash is that one or more; their number when there is none. */
function lowerBound(points: Points, high: number, low: number): number {
  let from = 0;
  let to = points.high.length;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const middleHigh = at(points.high, middle);
    if (middleHigh < high || (middleHigh === high && at(points.low, middle) < low)) from = middle + 1;
    else to = middle;
  }
  return from;
}

const cell = new DataView(new ArrayBuffer(8));

function halves(value: bigint): [high: number, low: number] {
  cell.setBigUint64(0, value);
  return [cell.getUint32(0), cell.getUint32(4)];
}

/**
 * Indices of the points by ascending hash: a counting sort by the upper 16 bits, then an insertion sort that finds each
 * point near its place, because hashes are spread evenly. Both are stable, which orders points of the same hash.
 */
function sortedOrder(high: Uint32Array, low: Uint32Array): Uint32Array {
  const order = orderByUpperBits(high);
  for (let i = 1; i < order.length; i++) {
    const point = at(order, i);
    let place = i;
    for (; place > 0 && isAfter(high, low, at(order, place - 1), point); place--) order[place] = at(order, place - 1);
    order[place] = point;
  }
  return order;
}

function orderByUpperBits(high: Uint32Array): Uint32Array {
  const next = new Uint32Array(2 ** 16 + 1);
  for (const half of high) next[(half >>> 16) + 1] = at(next, (half >>> 16) + 1) + 1;
  for (let bucket = 1; bucket < next.length; bucket++) next[bucket] = at(next, bucket) + at(next, bucket - 1);
  const order = new Uint32Array(high.length);
  for (let point = 0; point < high.length; point++) {
    const bucket = at(high, point) >>> 16;
    const place = at(next, bucket);
    next[bucket] = place + 1;
    order[place] = point;
  }
  return order;
}

function isAfter(high: Uint32Array, low: Uint32Array, a: number, b: number): boolean {
  const difference = at(high, a) - at(high, b);
  return difference > 0 || (difference === 0 && at(low, a) > at(low, b));
}

function picked(numbers: Uint32Array, order: Uint32Array): Uint32Array {
  const result = new Uint32Array(order.length);
  for (let i = 0; i < order.length; i++) result[i] = at(numbers, at(order, i));
  return result;
}

function at(numbers: Uint32Array, index: number): number {
  return numbers[index] ?? 0;
}
