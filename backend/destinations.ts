/**
 * The address space of the backend, as a Spring application shows it:
 *
 *   /user/queue/x          SUBSCRIBE: private to the sessions of this user. MESSAGEs show this same destination.
 *   /user/{user}/queue/x   SEND, service users only: to every session of that user on this pod ("%2F" is a "/" in the name).
 *   /topic/x               SUBSCRIBE and SEND: fan-out inside this pod.
 *   /app/echo…             SEND: the body comes back on the sender's own /user/queue/echo.
 *   /app/whoami            SEND: pod and user come back on /user/queue/whoami. SUBSCRIBE: one such answer, at once.
 *
 * Everything else is refused: a typing error must not look like silence.
 */
import { Refusal } from './refusal.ts';

const USER = '/user/';
const TOPIC = '/topic/';
const ECHO = '/app/echo';

export const WHOAMI = '/app/whoami';
export const ECHO_REPLY = '/user/queue/echo';
export const WHOAMI_REPLY = '/user/queue/whoami';

export type SubscribeKind = 'user' | 'topic' | 'whoami';

export type SendTarget =
  | { readonly kind: 'user'; readonly user: string; readonly destination: string }
  | { readonly kind: 'topic'; readonly destination: string }
  | { readonly kind: 'echo' }
  | { readonly kind: 'whoami' };

/** What a SUBSCRIBE to `destination` listens to. Throws a Refusal for a destination that nothing serves. */
export function subscribeKind(destination: string): SubscribeKind {
  if (hasMore(destination, USER)) return 'user';
  if (hasMore(destination, TOPIC)) return 'topic';
  if (destination === WHOAMI) return 'whoami';
  throw unknown('SUBSCRIBE', destination, '/user/…, /topic/… and /app/whoami');
}

/** Where a SEND to `destination` goes. Throws a Refusal for a destination that nothing serves. */
export function sendTarget(destination: string): SendTarget {
  if (hasMore(destination, TOPIC)) return { kind: 'topic', destination };
  if (destination === WHOAMI) return { kind: 'whoami' };
  if (destination.startsWith(ECHO)) return { kind: 'echo' };
  return toUser(destination) ?? unknownSend(destination);
}

/** Key of the subscriptions of one user to one destination, which is written as the subscriber writes it (/user/queue/x). */
export function userAddress(user: string, destination: string): string {
  return `${destination}\0${user}`;
}

/** Key of the subscriptions to a topic. */
export function topicAddress(destination: string): string {
  return destination;
}

/** As Spring's convertAndSendToUser writes it: only "/" is escaped in the user's name (DefaultUserDestinationResolver). */
function toUser(destination: string): SendTarget | undefined {
  if (!destination.startsWith(USER)) return undefined;
  const end = destination.indexOf('/', USER.length);
  if (end <= USER.length || end === destination.length - 1) return undefined;
  const user = destination.slice(USER.length, end).replaceAll('%2F', '/');
  return { kind: 'user', user, destination: `/user${destination.slice(end)}` };
}

function hasMore(destination: string, prefix: string): boolean {
  return destination.startsWith(prefix) && destination.length > prefix.length;
}

function unknownSend(destination: string): never {
  throw unknown('SEND', destination, '/topic/…, /app/echo…, /app/whoami and, for service users, /user/{user}/…');
}

function unknown(command: string, destination: string, known: string): Refusal {
  return new Refusal('unknown destination', `${command} to ${destination}: this backend knows ${known}.`);
}
