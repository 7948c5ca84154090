import type { Frame } from '../../stomp/index.ts';
import type { Profile } from './profile.ts';

/** The bounds of a session. Each comes from the configuration; the comment gives the reason of its default. */
export interface SessionOptions {
  /**
   * What kind of backend this is.
   * @param connected the first CONNECTED; undefined before it has come
   */
  readonly profileOf: (connected: Frame | undefined) => Profile;
  /** The barrier where the profile knows of no receipts: a wait after CONNECTED and SUBSCRIBE. */
  readonly settleMs: number;
  /** From dialling to CONNECTED. */
  readonly connectMaxMs: number;
  /** From CONNECTED to the barrier; a pod that answers no receipts fails here instead of holding a session for ever. */
  readonly barrierMaxMs: number;
  /** A destination that was silent on the old link for this long has nothing left there (50 ms: a slow broker's flush). */
  readonly orderQuietMs: number;
  /**
   * How long messages wait for one that sequence numbers prove to be still missing: longer than a link may be silent before it
   * counts as lost, so that a pod which only hangs for a moment swaps nothing.
   */
  readonly orderMaxMs: number;
  /** How long an old link is read after the producers have moved on. */
  readonly drainMaxMs: number;
  /** How long an old link waits for the producers' commit before its drain starts all the same. */
  readonly commitMaxMs: number;
  /** How long a closing link may take to answer DISCONNECT. */
  readonly closeMaxMs: number;
  /** How long a client is kept without any link. */
  readonly outageMaxMs: number;
  /** Held bytes per direction; past it reading stops, so that the peer's own buffers fill instead of ours. */
  readonly holdBytes: number;
  readonly subscriptionsMax: number;
  /** Ids remembered for dropping messages that a producer sent twice. */
  readonly dedupWindow: number;
  /** How long they are remembered at most: longer than any producer tries a message. */
  readonly dedupMaxAgeMs: number;
  /** The header that carries a produced message's id. */
  readonly dedupHeader: string;
  /** What we ask of a pod: heart-beats this often, both ways. */
  readonly linkBeatMs: number;
  /** The fastest heart-beat that a client may ask of us, and the default one we ask of it. */
  readonly clientBeatMs: number;
}

/** What a session says of its user, in every upstream CONNECT: headers of the proxy's own, and names that clients may not set there. */
export interface OwnHeaders {
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly drop: (name: string) => boolean;
}

export const NO_OWN_HEADERS: OwnHeaders = { set: [], drop: () => false };

/**
 * A frame that arrives on the new link waits at least this long while an old link drains, so that what had reached the
 * proxy on the old link before is read first: one turn of the event loop, with room for a busy one.
 */
export const ORDER_POLL_MS = 5;

/** An ERROR that a link's close follows within this time was the application's last word; a later close is a lost link. */
export const ERROR_CLOSE_MS = 5_000;

/**
 * An old link that is behind with a topic is drained so many times drain-max at most: 30 s by default, what Kubernetes gives a pod to end
 * in unless it is told otherwise.
 */
export const DRAINS_MAX = 6;

/** Our receipts; a client that uses such an id itself is refused, so an answer always belongs to one asker. */
export const OWN_RECEIPT = 'holdfast-';

/** The destination that the proxy answers itself. */
export const SESSION_DESTINATION = '/holdfast/session';

/** How long messages without numbers wait for a busy link that was left and chosen again: a slow pod's answer, no more. */
export const CHOSEN_AGAIN_MAX_MS = 1_000;
