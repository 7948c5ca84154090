/** Which frames of a client need the session, and which it keeps. */
import { isUtf8 } from 'node:buffer';
import { type Frame, frameOf, StompError } from '../../stomp/index.ts';

/** A SEND that changes nothing in the session. */
export function isPlainSend(frame: Frame): boolean {
  return (
    frame.command === 'SEND' &&
    frame.header('receipt') === undefined &&
    frame.header('transaction') === undefined &&
    frame.header('destination')?.startsWith('/holdfast/') !== true
  );
}

/** Frames that the session keeps: for as long as it lives, or until their receipt or the end of their transaction is here. */
export function keepsFrame(frame: Frame): boolean {
  return (
    frame.command === 'SUBSCRIBE' || frame.header('receipt') !== undefined || frame.header('transaction') !== undefined
  );
}

/** The frame on memory of its own: what came in is a view of a larger chunk, which would live as long as the frame. */
export function detached(frame: Frame): Frame {
  // Not slice(): a Buffer's gives a view.
  return frameOf(new Uint8Array(frame.bytes), 'client', frame.version);
}

/** Why a frame cannot go to a pod that takes text only. */
export function noText(frame: Frame): StompError | undefined {
  if (isUtf8(frame.bytes)) return undefined;
  return new StompError(
    'not-text',
    `${frame.command} frame is no UTF-8, and pods are linked by SockJS, which is text only`,
  );
}
