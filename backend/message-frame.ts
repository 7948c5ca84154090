/** Which headers a MESSAGE carries. */
import type { Frame, Version } from '../stomp/index.ts';
import type { AckMode } from './acknowledgements.ts';
import type { Message } from './broker.ts';

/** Headers of a SEND that concern the sender and this backend only. content-length is counted anew. */
const NOT_PASSED_ON: ReadonlySet<string> = new Set([
  'destination',
  'receipt',
  'transaction',
  'content-length',
  'message-id',
  'subscription',
  'ack',
]);

/** All other headers of a SEND reach the receiver: content-type, holdfast-id, holdfast-seq and whatever an app adds. */
export function passedOn(frame: Frame): Message['headers'] {
  return [...frame.headers()].filter(([name]) => !NOT_PASSED_ON.has(name));
}

interface Receiver {
  readonly id: string | undefined;
  readonly ack: AckMode;
}

/** STOMP 1.2, "MESSAGE". The message-id serves as ack id too: both are unique in this process. */
export function messageHeaders(
  { id, ack }: Receiver,
  messageId: string,
  { destination, headers }: Message,
  version: Version,
): (readonly [string, string])[] {
  const own: (readonly [string, string])[] = [
    ['destination', destination],
    ['message-id', messageId],
  ];
  if (id !== undefined) own.push(['subscription', id]);
  if (ack !== 'auto' && version === '1.2') own.push(['ack', messageId]);
  return [...own, ...headers.filter(([name, value]) => sayable(name, value, version))];
}

/** STOMP 1.0 has no escapes: what cannot be said to such a peer is left out. */
export function sayable(name: string, value: string, version: Version): boolean {
  return version !== '1.0' || !(/[\r\n:]/.test(name) || /[\r\n]/.test(value));
}
