/**
 * One connection, of a client or to a pod, as the relay wants it: whole messages in, bytes out, reading that can be stopped
 * for several reasons at once. What carries it, a WebSocket or SockJS, is known to nobody behind this.
 */

import type { WholeFrame } from '../../websocket/index.ts';

export interface SocketHandlers {
  /**
   * Messages one behind the other, each in one frame, that may be passed on as they are: octets [from, end).
   * @param octets are others after this call
   * @param readAtMs when they came in; `heardAtMs` follows
   * @returns where the first begins that was not passed on
   */
  onFrames?: ((octets: Uint8Array, from: number, end: number, readAtMs: number) => number) | undefined;
  /** A WebSocket message in one frame that may be passed on as it is: `onMessage` does not follow when the answer is true. */
  onFrame?: ((frame: WholeFrame) => boolean) | undefined;
  onMessage(bytes: Uint8Array, binary: boolean): void;
  /**
   * Once. 1006 when the connection ended without a close frame.
   * @param fault set when the peer broke the protocol or its limits and we closed for that; names the rule
   */
  onClose(code: number, reason: string, fault?: string): void;
  /** What was written has left us again, after `isFull` was true; or the peer is there, which was in doubt. */
  onDrain(): void;
}

export interface Socket {
  /** Neither still opening nor closing: only then can silence mean anything. */
  readonly isOpen: boolean;
  /** When anything, a pong included, last came in. */
  readonly heardAtMs: number;
  /** When a message last came in. */
  readonly heardDataAtMs: number;
  /** More than the high mark waits to be sent: whoever feeds this socket should stop. */
  readonly isFull: boolean;
  readonly isPaused: boolean;
  /**
   * Since when it is not known whether the peer is still there: many others to the same one have ended, and it has not answered since. What
   * is said to it may be lost. Absent where nobody asks.
   */
  readonly inDoubtSinceMs?: number | undefined;
  /** Ends the doubt, if there is any: the peer is there. */
  believe?(): void;
  /** Takes `ms` off the silence so far; by default all of it. For time in which the peer could not be heard. */
  excuse(ms?: number): void;
  /** One STOMP frame or heart-beat; nothing happens while the socket is not open. */
  send(bytes: Uint8Array, binary: boolean): void;
  /**
   * One STOMP frame in the WebSocket frame in which it came from a peer of the other kind: its octets go out as they came in, where such
   * frames are written. They are the socket's then.
   */
  pass(frame: WholeFrame): void;
  /** The same for several frames without masks: octets [from, to), which remain the caller's. Absent where WebSocket frames of others cannot be written. */
  passFrames?(octets: Uint8Array, from: number, to: number): void;
  /** Asks the peer for a sign of life. */
  ping(): void;
  /** Stops or resumes reading for one reason; it is read when no reason is left. */
  pause(reason: string, paused: boolean): void;
  /** Says a close frame, after what was sent before it. */
  close(code: number, reason: string): void;
  /** Cuts the connection. */
  abort(): void;
}
