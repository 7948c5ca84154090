import { type KeyKind, Ring, type RingOptions } from '../ring/index.ts';
import type { PodAddress } from './transport.ts';

/** The rings of one moment. A new snapshot is a new object. */
export interface RingSnapshot {
  /** The ring whose handovers are past the barrier: where sessions are. */
  readonly committed: Ring;
  /** The ring that sessions are being moved to; the same as `committed` at rest. */
  readonly target: Ring;
  /** The pod behind a key of either ring; undefined when nobody knows its address (any more). */
  podOf(key: string): PodAddress | undefined;
}

/** Where a producer learns the rings from. All methods are synchronous: discovery is never in the way of a message. */
export interface RingSource {
  /** undefined as long as no ring was ever learnt. */
  current(): RingSnapshot | undefined;
  /** The key of the pod that is known to hold the user's live session. Tried first. */
  ownerHint?(user: string): string | undefined;
  /** True while a session of the user is known to be on its way to a pod: then the user is not away, whatever pods say. */
  moving?(user: string): boolean;
  close(): void;
}

/** A name for the two rings together, to see that either has changed. */
export function ringsVersion(snapshot: RingSnapshot): string {
  return `${snapshot.committed.version}/${snapshot.target.version}`;
}

/** A fixed set of pods, for a deployment that never changes and for tests. Throws RangeError when two pods have one key. */
export function staticRing(pods: Iterable<PodAddress>, options: RingOptions = {}): RingSource {
  const snapshot = snapshotOf(pods, options);
  return { current: () => snapshot, close: () => {} };
}

/** A snapshot at rest. Throws RangeError when two pods have one key. */
export function snapshotOf(pods: Iterable<PodAddress>, options: RingOptions = {}): RingSnapshot {
  const byKey = new Map<string, PodAddress>();
  for (const pod of pods) {
    const key = keyOf(pod, options.keyKind ?? 'name');
    if (byKey.has(key)) throw new RangeError(`two pods have the key ${key}; keys of a ring must be unique`);
    byKey.set(key, pod);
  }
  const ring = Ring.of(byKey.keys(), options);
  return { committed: ring, target: ring, podOf: (key) => byKey.get(key) };
}

export function keyOf(pod: PodAddress, keyKind: KeyKind): string {
  return keyKind === 'name' ? pod.name : pod.address;
}

export interface LocalRing {
  snapshot(): RingSnapshot | undefined;
  ownerHint?(user: string): string | undefined;
  moving?(user: string): boolean;
}

/** The rings of a proxy in the same process, which also knows where its live sessions are. */
export function localRing(local: LocalRing): RingSource {
  return {
    current: () => local.snapshot(),
    ownerHint: (user) => local.ownerHint?.(user),
    moving: (user) => local.moving?.(user) ?? false,
    close: () => {},
  };
}
