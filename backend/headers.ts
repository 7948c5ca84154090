/** Reading headers of client frames, with a Refusal for what is missing or wrong. */
import type { Frame } from '../stomp/index.ts';
import type { AckMode } from './acknowledgements.ts';
import { sayable } from './message-frame.ts';
import { Refusal } from './refusal.ts';

const ACK_MODES: readonly string[] = ['auto', 'client', 'client-individual'] satisfies AckMode[];

export function required(frame: Frame, name: string): string {
  const value = frame.header(name);
  if (value !== undefined && value !== '') return value;
  throw new Refusal('missing header', `${frame.command} needs a header ${name}.`);
}

export function ackMode(frame: Frame): AckMode {
  const mode = frame.header('ack') ?? 'auto';
  if (isAckMode(mode)) return mode;
  throw new Refusal('bad ack mode', `SUBSCRIBE with ack:${mode}: it may be ${ACK_MODES.join(', ')}.`);
}

/** STOMP 1.0 has no escapes, so a value with a CR could be taken but never be said again. */
export function refuseUnsayable(frame: Frame): void {
  if (frame.version !== '1.0') return;
  for (const [name, value] of frame.headers()) {
    if (!sayable(name, value, '1.0')) throw new Refusal('bad header', `${frame.command} has a CR in a header.`);
  }
}

function isAckMode(mode: string): mode is AckMode {
  return ACK_MODES.includes(mode);
}
