/**
 * Links that end soon after they came to life. A pod that takes sessions and drops them, for a fault of the version that is being rolled out, or
 * of this session's data, looks well each time: a session that went back at once, again and again, would make a hundred links a second, and
 * tell its client of as many gaps. So from the second on it tries other pods, and returns later each time.
 */
import { type Place, refused, refusedByNone } from './place.ts';

/** A link that has lived for this long was a good one: its end says nothing of the tries before. */
export const STEADY_MS = 10_000;
/** One is nothing: a pod that has just started may be killed, a connection may be cut. */
export const BOUNCES_FORGIVEN = 1;
/** A session returns to a pod that has dropped it after this time, doubling with each further time, less up to a half of it … */
export const RETURN_MIN_MS = 1_000;
/** … and up to this, while it has a link elsewhere. */
export const RETURN_MAX_MS = 60_000;
/** A session that leaves a pod by a move after so long, more than it may have had to wait there, has nothing held against its next ones. */
export const FORGET_MS = 2 * RETURN_MAX_MS;

/** The session has a link, of which nobody knows yet how long it will live. */
export function began(place: Place, now: number): void {
  const isMove = place.pod !== undefined;
  if (isMove && now - place.arrivedAtMs >= FORGET_MS) forget(place);
  place.arrivedAtMs = now;
}

/** The session has lost its link to this pod. @param random in [0, 1) */
export function ended(place: Place, podId: string, now: number, random: number): void {
  if (now - place.arrivedAtMs >= STEADY_MS) return forget(place);
  bounced(place, now, random);
  if (isBouncing(place)) refused(place, podId);
}

/** The session has left its link for one that did not come to life: where it may have one at a time, a try costs a gap, too. */
export function leftInVain(place: Place, now: number, random: number): void {
  bounced(place, now, random);
}

export function isBouncing({ bounces }: Place): boolean {
  return bounces > BOUNCES_FORGIVEN;
}

/** When the session may go to this pod, as far as this goes. @param atMost ms that it may have to wait since it had its last link */
export function mayGoAtMs(place: Place, podId: string, atMost: number): number {
  const { refusedBy, arrivedAtMs, returnAtMs } = place;
  return isBouncing(place) && refusedBy.includes(podId) ? Math.min(returnAtMs, arrivedAtMs + atMost) : 0;
}

function bounced(place: Place, now: number, random: number): void {
  place.bounces += 1;
  const doublings = place.bounces - BOUNCES_FORGIVEN - 1;
  place.returnAtMs = now + (1 - random / 2) * Math.min(RETURN_MAX_MS, RETURN_MIN_MS * 2 ** doublings);
}

function forget(place: Place): void {
  place.bounces = 0;
  refusedByNone(place);
}
