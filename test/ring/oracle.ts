/**
 * The ring in the plainest words, and Envoy's arithmetic for how many points each host has: what ring/ must agree with.
 */
import { hash } from '../../ring/index.ts';

export interface Point {
  hash: bigint;
  key: string;
}

/** Points sorted by hash; of equal hashes the smaller key first. */
export function pointsOf(keys: readonly string[], counts: readonly number[]): Point[] {
  const points = keys.flatMap((key, index) =>
    Array.from({ length: counts[index] ?? 0 }, (_, i) => ({ hash: hash(`${key}_${i}`), key })),
  );
  return points.sort((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : a.key < b.key ? -1 : 1));
}

/** The distinct keys from the owner on. */
export function walk(points: readonly Point[], user: string): string[] {
  const wanted = hash(user);
  const owner = points.findIndex((point) => point.hash >= wanted);
  const from = owner === -1 ? 0 : owner;
  return [...new Set([...points.slice(from), ...points.slice(0, from)].map((point) => point.key))];
}

/**
 * How many points Envoy's RING_HASH gives to each of n hosts of equal weight, in double precision as there: weights are
 * scaled so that the lightest host has a whole number of points, and points are handed out against a running sum.
 */
export function envoyCounts(hosts: number, minimumRingSize: number, maximumRingSize = 8_388_608): number[] {
  const weight = 1 / hosts;
  const scale = Math.min(Math.ceil(weight * minimumRingSize) / weight, maximumRingSize);
  const counts: number[] = [];
  let target = 0;
  let placed = 0;
  for (let host = 0; host < hosts; host++) {
    target += scale * weight;
    const count = Math.max(0, Math.ceil(target - placed));
    placed += count;
    counts.push(count);
  }
  return counts;
}
