/** What routing knows of one session. */
import type { Pod } from '../discovery/index.ts';

export interface Place {
  readonly user: string;
  readonly key: string;
  /** Where the session's primary link is. */
  pod: Pod | undefined;
  /** Where it was since the last commit, the latest first; those links are still read. */
  left: readonly Pod[];
  /** The session has asked for a link and has not got one. */
  wants: 'open' | 'recovery' | undefined;
  /** It wants to be where another session of its user is: at the first try; that one may be wrong. */
  follows: boolean;
  /** The pod it was sent to, until it has arrived there or failed. */
  sentTo: string | undefined;
  /** It counts as on its way there: from the grant until the link is connected or has failed. */
  holdsSlot: boolean;
  /** The next try comes not before this. */
  notBeforeMs: number;
  failures: number;
}

/** Pods remembered that a session has left: more moves than that between two commits and the first of them are closed. */
export const LEFT_MAX = 8;

export function newPlace(user: string, key: string): Place {
  return {
    ...{ user, key, pod: undefined, left: [], wants: undefined },
    ...{ follows: false, sentTo: undefined, holdsSlot: false, notBeforeMs: 0, failures: 0 },
  };
}

/** The session has left its pod for another one. */
export function leave(place: Place, pod: Pod): void {
  place.left = [pod, ...place.left.filter(({ id }) => id !== pod.id)].slice(0, LEFT_MAX);
}

/** Its link to a pod that it had left has ended. */
export function drained(place: Place, pod: Pod): void {
  place.left = place.left.filter(({ id }) => id !== pod.id);
}

/** The pods that a session reads, the one it is at first. */
export function podsOf({ pod, left }: Place): readonly Pod[] {
  return pod === undefined ? left : [pod, ...left];
}

/**
 * A pod that all of these sessions read; if there is none, one that one of them reads.
 * @param read of each session the pods that it reads
 * @param isPreferred which of several common pods it should be
 */
export function commonPod(
  read: readonly (readonly Pod[])[],
  isPreferred: (pod: Pod) => boolean = () => true,
): Pod | undefined {
  const all = read.flat();
  const common = all.filter(({ id }) => read.every((pods) => pods.some((pod) => pod.id === id)));
  return common.find(isPreferred) ?? common[0] ?? all[0];
}
