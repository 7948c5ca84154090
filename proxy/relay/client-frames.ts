/** Which frames of a client need the session, and which it keeps. */
import { type Frame, frameOf } from '../../stomp/index.ts';

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
  return frameOf(frame.bytes.slice(), 'client', frame.version);
}
