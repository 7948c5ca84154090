/**
 * All inputs of a session.
 *
 * A session is told what happened (these events) and answers with what is to be done (effects.ts). It never asks for
 * anything itself: time comes with every call, randomness and pacing stay in routing, bytes come from the relay.
 */

import type { Frame, StompError } from '../../stomp/index.ts';
import type { Pod } from '../discovery/index.ts';
import type { LinkCause } from '../routing/index.ts';

/** Names one link of one session. Numbers only grow, so a callback of a link that was left is recognised and ignored. */
export type LinkId = number;

export type { LinkCause };

/** How a link ended, as the shell saw it. */
export type LinkEnd =
  /** The pod's close frame, or 1006 when the TCP connection ended without one. */
  | { readonly kind: 'closed'; readonly code: number; readonly reason: string }
  /** The WebSocket was never opened: nothing listens, DNS, TLS, or a time-out of TCP. */
  | { readonly kind: 'unreachable'; readonly message: string }
  /** The pod answered the upgrade with a status other than 101. */
  | { readonly kind: 'handshake'; readonly status: number }
  /** Nothing was heard for too long: a hung process, or a connection that is half open. */
  | { readonly kind: 'silent'; readonly sinceMs: number }
  /** The pod sent bytes that are no STOMP. */
  | { readonly kind: 'garbage'; readonly error: StompError };

export type SessionEvent =
  /** A client's frame that the relay did not pass on by itself (see `client-route` in effects.ts). */
  | { readonly type: 'client-frame'; readonly frame: Frame; readonly binary: boolean }
  /** The client's bytes are no STOMP. */
  | { readonly type: 'client-garbage'; readonly error: StompError }
  /** The client's WebSocket is gone, whoever closed it. */
  | { readonly type: 'client-gone'; readonly code: number }
  /** The client has missed its heart-beats, or does not take what it is sent. */
  | { readonly type: 'client-failed'; readonly reason: 'silent' | 'slow' }
  /** The client does not take what it is sent, so live links are not read; or it does again. */
  | { readonly type: 'client-full'; readonly full: boolean }
  /** Routing has chosen a pod: in answer to `request-link`, or unasked, for a planned move. */
  | { readonly type: 'granted'; readonly cause: LinkCause; readonly pod: Pod }
  /** The WebSocket to the pod is open. */
  | { readonly type: 'link-open'; readonly link: LinkId }
  /** A pod's frame. MESSAGE comes only while the link is not passed by the relay. */
  | { readonly type: 'link-frame'; readonly link: LinkId; readonly frame: Frame; readonly binary: boolean }
  | { readonly type: 'link-ended'; readonly link: LinkId; readonly end: LinkEnd }
  /** Every producer now sends this session's messages to the pod of its primary link (DESIGN of producers: commit). */
  | { readonly type: 'committed' }
  /** The session was at another pod than other sessions of its user, and may have missed what those got; that is over. */
  | { readonly type: 'was-apart' }
  /** The proxy is asked to end this session (shutdown). */
  | { readonly type: 'shutdown' }
  /** `nextDeadline()` has passed. */
  | { readonly type: 'tick' };
