/**
 * All outputs of a session. The relay performs them in order; none of them answers.
 *
 * Forwarding knows only this much of handover: which link the client's plain frames go to (`client-route`), and whether
 * a link's messages go straight to the client or are shown to the session (`link-route`).
 */

import type { Version } from '../../stomp/index.ts';
import type { Pod } from '../discovery/index.ts';
import type { LinkCause, LinkEnd, LinkId } from './events.ts';
import type { ChunkRules, ProfileName } from './profile.ts';

export type Effect =
  /** Ask routing for a pod; it answers, now or later, with `granted`. A newer request replaces an older one. */
  | { readonly type: 'request-link'; readonly cause: 'open' | 'recovery'; readonly attempt: number }
  | { readonly type: 'dial'; readonly link: LinkId; readonly pod: Pod; readonly cause: LinkCause }
  | { readonly type: 'send-link'; readonly link: LinkId; readonly bytes: Uint8Array; readonly binary: boolean }
  /** `close` sends a close frame and goes on reading until the pod answers; `abort` ends the socket at once. */
  | { readonly type: 'close-link'; readonly link: LinkId; readonly how: 'close' | 'abort' }
  /** Heart-beats on a link, in ms, 0 for none: what we send, what we may expect. */
  | { readonly type: 'link-beats'; readonly link: LinkId; readonly sendEveryMs: number; readonly expectEveryMs: number }
  /** What the pod takes in one WebSocket message; said when it is CONNECTED. */
  | { readonly type: 'link-takes'; readonly link: LinkId; readonly rules: ChunkRules }
  /** `pass`: MESSAGE frames go to the client as they came. `ask`: they are shown to the session. */
  | { readonly type: 'link-route'; readonly link: LinkId; readonly route: 'pass' | 'ask' }
  | { readonly type: 'pause-link'; readonly link: LinkId; readonly paused: boolean }
  /** Where the client's plain SEND frames go without being shown to the session; `undefined`: show them all. */
  | { readonly type: 'client-route'; readonly link: LinkId | undefined }
  | { readonly type: 'pause-client'; readonly paused: boolean }
  | { readonly type: 'send-client'; readonly bytes: Uint8Array; readonly binary: boolean }
  /** Heart-beats towards the client, as CONNECTED promised them, and the version that both sides now speak. */
  | {
      readonly type: 'client-open';
      readonly version: Version;
      readonly sendEveryMs: number;
      readonly expectEveryMs: number;
    }
  | { readonly type: 'close-client'; readonly code: number; readonly reason: string; readonly why: EndReason }
  | { readonly type: 'fact'; readonly fact: Fact };

/** Why a session ended. Every close of a client carries one of these, and there is no other way to close one. */
export type EndReason =
  | 'client-left' // DISCONNECT, or the client's socket closed
  | 'client-silent' // missed heart-beats
  | 'client-slow' // did not take its messages for too long
  | 'client-protocol' // broke STOMP, or a limit
  | 'backend-error' // ERROR or a final close code by the application
  | 'backend-denied' // 401 or 403 at the upgrade of a link
  | 'outage' // no pod for longer than outage-max
  | 'continuity' // what was under way on a lost link cannot be carried on (an open transaction)
  | 'shutdown'; // the proxy itself ends

export type Blame = 'pod' | 'session' | 'nobody';

/** What became known. Routing, metrics and the log read facts; nothing that a session decides depends on who listens. */
export type Fact =
  /** The first CONNECTED is here: what the backend was taken for, and why. */
  | { readonly type: 'backend-known'; readonly profile: ProfileName; readonly why: string }
  | { readonly type: 'link-live'; readonly pod: Pod; readonly cause: LinkCause; readonly tookMs: number }
  /**
   * A link did not come to life. `blame` says whether other sessions should keep away from the pod for now; `nobody`'s is one
   * that is not wanted any more.
   */
  | {
      readonly type: 'link-failed';
      readonly pod: Pod;
      readonly cause: LinkCause;
      readonly blame: Blame;
      readonly why: string;
      /** A live link was there and stays: the session is where it was. */
      readonly kept: boolean;
    }
  | { readonly type: 'link-lost'; readonly pod: Pod; readonly end: LinkEnd; readonly blame: 'pod' | 'session' }
  | { readonly type: 'handover-started'; readonly from: Pod; readonly to: Pod }
  /** A SUBSCRIBE has gone to a pod that does not say when it is live: a message that comes to it before that time may be lost. */
  | { readonly type: 'settling'; readonly untilMs: number }
  /** Break before make, because the backend allows one link at a time; `why` is the header that says so. */
  | { readonly type: 'left-first'; readonly from: Pod; readonly to: Pod; readonly why: string }
  | { readonly type: 'switched'; readonly from: Pod; readonly to: Pod }
  | {
      readonly type: 'handed-over';
      readonly from: Pod;
      readonly to: Pod;
      readonly gapMs: number;
      readonly proven: boolean;
    }
  | {
      readonly type: 'recovered';
      readonly from: Pod;
      readonly to: Pod;
      readonly gapMs: number;
      readonly attempts: number;
    }
  | { readonly type: 'resent'; readonly frames: number }
  | { readonly type: 'duplicate-dropped' }
  /** An ACK or NACK of a delivery whose link is gone went nowhere; the broker gives the message out again. */
  | { readonly type: 'ack-dropped' }
  | { readonly type: 'sequence'; readonly kind: 'lost' | 'reordered' | 'duplicated'; readonly count: number }
  | { readonly type: 'ended'; readonly why: EndReason };
