/** What routing knows of one session. */
import type { Pod } from '../discovery/index.ts';

export interface Place {
  readonly user: string;
  readonly key: string;
  /** Where the session's primary link is. Changed by Places only, as `left` is. */
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
  /** Pods that have refused it, and are not to blame for that, or have dropped it again (see bounces.ts): others may take it. The latest last. */
  refusedBy: readonly string[];
  /** The next try comes not before this. */
  notBeforeMs: number;
  failures: number;
  /** Since when it has its link, or had the last one. */
  arrivedAtMs: number;
  /** Links in a row that ended soon. */
  bounces: number;
  /** When it may go back to a pod that has dropped it. */
  returnAtMs: number;
}

/** Where a session is, and where its user belongs. */
export type Where = Readonly<Pick<Place, 'key' | 'pod' | 'left'>>;

/** Pods remembered that a session has left: more moves than that between two commits and the first of them are closed. */
export const LEFT_MAX = 8;
/** Pods remembered that have refused a session: where more than that do, it does not matter which one is tried again. */
export const REFUSED_MAX = 8;

const BY_NONE: readonly string[] = [];

export function newPlace(user: string, key: string): Place {
  return {
    ...{ user, key, pod: undefined, left: [], wants: undefined },
    ...{ follows: false, sentTo: undefined, holdsSlot: false, refusedBy: BY_NONE, notBeforeMs: 0, failures: 0 },
    ...{ arrivedAtMs: 0, bounces: 0, returnAtMs: 0 },
  };
}

/** The session has left its pod for another one. */
export function leave(place: Place, pod: Pod): void {
  place.left = [pod, ...place.left.filter(({ id }) => id !== pod.id)].slice(0, LEFT_MAX);
}

/** It has no link any more. */
export function unlink(place: Place): void {
  place.pod = undefined;
}

/** Nothing that it has left is read any more. */
export function leaveNone(place: Place): void {
  place.left = [];
}

/** Its link to a pod that it had left has ended. */
export function drained(place: Place, pod: Pod): void {
  place.left = place.left.filter(({ id }) => id !== pod.id);
}

/** One that refuses for the second time is the first of a new round: all that could be asked were. */
export function refused(place: Place, podId: string): void {
  place.refusedBy = place.refusedBy.includes(podId) ? [podId] : [...place.refusedBy, podId].slice(-REFUSED_MAX);
}

/** What pods did before says nothing any more. */
export function refusedByNone(place: Place): void {
  place.refusedBy = BY_NONE;
}

/** The pods that a session reads, the one it is at first. */
export function podsOf({ pod, left }: Where): readonly Pod[] {
  return pod === undefined ? left : [pod, ...left];
}

/** The pods that all of these sessions read; what the first of them is at comes first. */
export function commonPods(read: readonly (readonly Pod[])[]): readonly Pod[] {
  const [first = [], ...others] = read;
  return first.filter(({ id }) => others.every((pods) => pods.some((pod) => pod.id === id)));
}
