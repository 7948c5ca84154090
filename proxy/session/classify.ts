/**
 * Is the end of a link the end of the session?
 *
 * A clean end is only what the client or the *application* decided: an ERROR on a live session that answers no frame of
 * ours, a handshake refused with 401 or 403, close 1008 or 4xxx. Everything else is a lost link, and the session goes on
 * with the next pod. Close codes alone say little: RabbitMQ closes with 1000 whatever happened, Spring Boot ≥ 3.4 on
 * Tomcat is cut without a close frame (1006), Spring's broker relay sends ERROR and 1002 when its broker is away, and 4500
 * is Spring's own "session not reliable".
 */
import type { Frame } from '../../stomp/index.ts';
import type { LinkEnd } from './events.ts';
import type { Profile } from './profile.ts';

export type Verdict =
  | { readonly kind: 'lost'; readonly blame: 'pod' | 'session' }
  | {
      readonly kind: 'final';
      readonly why: 'backend-error' | 'backend-denied';
      readonly code: number;
      readonly reason: string;
    };

/**
 * ERROR messages that speak of the pod's own state and not of what the client did (Spring's broker relay and shutdown). So
 * does one about missed heart-beats: those of a link are the proxy's, and a pod that stood still blames whoever it talks to.
 */
const POD_TROUBLE = [
  /^Broker not available/i,
  /^Connection to broker closed/i,
  // All that Spring's StompBrokerRelayMessageHandler says when the session's own connection to the broker has failed (6.1 to 7.0). Behind the
  // first stands the exception; an application that refuses a CONNECT might begin as that does, and no pod is to be blamed for it.
  /^Failed to connect: .*\b(refused|reset|timed out|closed|resolve|unreachable|no route)\b/i,
  /^Failed to forward /i,
  /^Transport failure: /i,
  /^No (messages|CONNECTED frame) received in \d+ ms/i,
  /^Session closed\.?$/i,
  /^(Server|Application) (is )?(shutting down|stopping)/i,
  /^Heart-?beats? missed/i,
  // Artemis
  /^AMQ229014: Did not receive data/,
];

/** Spring's SESSION_NOT_RELIABLE: the pod gave up on the connection, not on the client. */
const NOT_RELIABLE = 4500;

/**
 * What the end of a link means.
 * @param errored the backend's profile, when the link's last word was an ERROR that was passed on to the client
 */
export function classifyEnd(end: LinkEnd, errored?: Pick<Profile, 'endsAfterError'>): Verdict {
  if (end.kind === 'closed' && errored?.endsAfterError(end.code) === true)
    return { kind: 'final', why: 'backend-error', code: 1002, reason: 'ended by the backend with ERROR' };
  if (end.kind === 'handshake' && (end.status === 401 || end.status === 403)) {
    return {
      kind: 'final',
      why: 'backend-denied',
      code: 1008,
      reason: `the backend refused the upgrade with ${end.status}`,
    };
  }
  if (end.kind === 'closed' && isApplicationCode(end.code)) {
    return { kind: 'final', why: 'backend-error', code: end.code, reason: end.reason };
  }
  return { kind: 'lost', blame: blameFor(end) };
}

/** Does this ERROR only say that the pod is in trouble, so that the session belongs on another one? */
export function isPodTrouble(error: Frame): boolean {
  const message = error.header('message') ?? '';
  return POD_TROUBLE.some((pattern) => pattern.test(message));
}

function isApplicationCode(code: number): boolean {
  return code === 1008 || (code >= 4000 && code <= 4999 && code !== NOT_RELIABLE);
}

/** A pod is blamed when its process or its network failed; a close it chose for one session says nothing of the others. */
function blameFor(end: LinkEnd): 'pod' | 'session' {
  switch (end.kind) {
    case 'closed':
      return end.code === 1006 || end.code === 1001 || end.code === 1012 || end.code === 1013 ? 'pod' : 'session';
    case 'garbage':
      return 'session';
    case 'handshake':
      return end.status >= 500 ? 'pod' : 'session';
    default:
      return 'pod';
  }
}

/** The end of a link in words, for the log. */
export function describeEnd(end: LinkEnd): string {
  switch (end.kind) {
    case 'closed':
      return end.reason === '' ? `closed ${end.code}` : `closed ${end.code} ${end.reason}`;
    case 'unreachable':
      return `unreachable: ${end.message}`;
    case 'handshake':
      return `upgrade refused with ${end.status}`;
    case 'silent':
      return `silent for ${Math.round(end.sinceMs)} ms`;
    case 'garbage':
      return `no STOMP: ${end.error.code}`;
  }
}
