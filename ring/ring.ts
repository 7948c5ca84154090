/**
 * The ring that decides which pod owns a user: docs/RING.md is the algorithm for any language, vectors.json its test vectors.
 *
 * For equal pods it is, point for point, the ring of Envoy's RING_HASH with `minimum_ring_size` = `size`. The number of points
 * of each pod stays the same when others come and go, so that only users of the pod that came or went move
 * (docs/decisions/0001-ring-hash.md has the figures of the other choice).
 */
import { hash } from './hash.ts';
import { type KeyKind, sortedKeys } from './keys.ts';
import { firstAt, type Points, pointsFrom, pointsOf } from './points.ts';

export interface RingOptions {
  /**
   * Points for each pod; default 4096. Powers of two are exactly equal to Envoy's ring for any number of pods: for others
   * its floating-point sums can give a pod a point more or less.
   */
  readonly pointsPerPod?: number | undefined;
  /**
   * Instead of `pointsPerPod`: the least number of points of the whole ring, 1 … 8388608, as Envoy's `minimum_ring_size`. Each of n
   * pods has ceil(size / n) points. Use it to rebuild a published ring, or with an Envoy whose setting cannot follow the
   * number of pods: other users than those of the pod that came or went then move too.
   */
  readonly size?: number | undefined;
  /** What the keys are: pod names (default) or addresses (ip:port). Part of `version`; hashed alike. */
  readonly keyKind?: KeyKind | undefined;
}

/**
 * bench/ring.ts: of thirty rings of ten pods the most uneven gave one pod 1.05 times the mean load (with 2048 points 1.09);
 * ten pods take 0.5 MB and 5 ms to build.
 */
const DEFAULT_POINTS_PER_POD = 4096;

/** Envoy's default `maximum_ring_size`; a ring of that size takes 96 MiB. */
export const MAX_RING_SIZE = 8_388_608;

/** Immutable. */
export class Ring {
  /** Distinct, sorted by code point. */
  readonly keys: readonly string[];
  /** With the keys and the key kind all that is needed to build the same ring elsewhere: `Ring.of(keys, { size, keyKind })`. */
  readonly size: number;
  readonly keyKind: KeyKind;
  /** 16 hex digits that name this ring: equal exactly for equal size, key kind and keys. */
  readonly version: string;
  readonly #pointsPerKey: number;
  readonly #points: Points;

  /**
   * @param keys names or addresses of pods, in any order; repeats count once.
   * @param like a ring that has many of these keys: the result is the same, and is had much faster
   * @throws RangeError for a bad key, a size or number of points outside 1 … 8388608, or both of them given.
   */
  static of(keys: Iterable<string>, options: RingOptions = {}, like?: Ring): Ring {
    const sorted = sortedKeys(keys);
    return new Ring(sorted, sizeFor(sorted.length, options), options.keyKind ?? 'name', like);
  }

  private constructor(keys: readonly string[], size: number, keyKind: KeyKind, like: Ring | undefined) {
    this.keys = Object.freeze(keys);
    this.size = size;
    this.keyKind = keyKind;
    this.version = hash([size, keyKind, ...keys].join('\n'))
      .toString(16)
      .padStart(16, '0');
    this.#pointsPerKey = keys.length === 0 ? 0 : Math.ceil(size / keys.length);
    this.#points =
      like !== undefined && like.#pointsPerKey === this.#pointsPerKey
        ? pointsFrom(like.#points, like.keys, keys, this.#pointsPerKey)
        : pointsOf(keys, this.#pointsPerKey);
    Object.freeze(this);
  }

  /** The key that owns `user`; undefined when the ring is empty. */
  owner(user: string): string | undefined {
    return this.#keyAt(firstAt(this.#points, hash(user)));
  }

  /** Up to `k` distinct keys, the owner first, then in the order in which their points follow: the agreed order of fallback. */
  owners(user: string, k: number): string[] {
    const wanted = Math.min(k, this.keys.length);
    const owners = new Set<string>();
    for (let at = firstAt(this.#points, hash(user)); owners.size < wanted; at++) {
      const key = this.#keyAt(at % this.#points.key.length);
      if (key !== undefined) owners.add(key);
    }
    return [...owners];
  }

  /** Of these keys the one that comes first in the agreed order; undefined when the ring has none of them. */
  firstOf(user: string, keys: Iterable<string>): string | undefined {
    const wanted = Array.from(keys, (key) => this.keys.indexOf(key)).filter((index) => index >= 0);
    if (wanted.length === 0) return undefined;
    const { key } = this.#points;
    let at = firstAt(this.#points, hash(user));
    while (!wanted.includes(key[at] as number)) at = at + 1 === key.length ? 0 : at + 1;
    return this.#keyAt(at);
  }

  #keyAt(point: number): string | undefined {
    const index = this.#points.key[point];
    return index === undefined ? undefined : this.keys[index];
  }
}

function sizeFor(keys: number, options: RingOptions): number {
  const { size, pointsPerPod } = options;
  if (size !== undefined && pointsPerPod !== undefined) {
    throw new RangeError('a ring takes either size or pointsPerPod, not both');
  }
  if (size !== undefined) return checked('ring size', size);
  const points = checked('pointsPerPod', pointsPerPod ?? DEFAULT_POINTS_PER_POD);
  return checked(`ring size of ${keys} keys with ${points} points each`, points * Math.max(keys, 1));
}

function checked(what: string, value: number): number {
  if (Number.isInteger(value) && value >= 1 && value <= MAX_RING_SIZE) return value;
  throw new RangeError(`${what} must be an integer from 1 to ${MAX_RING_SIZE}, not ${value}`);
}

/** The users whose owner differs between two rings, in the order of `users`. */
export function moved(
  a: Ring,
  b: Ring,
  users: Iterable<string>,
): { user: string; from: string | undefined; to: string | undefined }[] {
  return Array.from(users, (user) => ({ user, from: a.owner(user), to: b.owner(user) })).filter(
    ({ from, to }) => from !== to,
  );
}
