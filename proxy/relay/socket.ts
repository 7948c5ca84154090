/**
 * One connection, of a client or to a pod, as the relay wants it: whole messages in, bytes out, reading that can be stopped
 * for several reasons at once. What carries it, a WebSocket or SockJS, is known to nobody behind this.
 */

export interface SocketHandlers {
  onMessage(bytes: Uint8Array, binary: boolean): void;
  /**
   * Once. 1006 when the connection ended without a close frame.
   * @param fault set when the peer broke the protocol or its limits and we closed for that; names the rule
   */
  onClose(code: number, reason: string, fault?: string): void;
  /** What was written has left us again, after `isFull` was true. */
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
  /** Takes `ms` off the silence so far; by default all of it. For time in which the peer could not be heard. */
  excuse(ms?: number): void;
  /** One STOMP frame or heart-beat; nothing happens while the socket is not open. */
  send(bytes: Uint8Array, binary: boolean): void;
  /** Asks the peer for a sign of life. */
  ping(): void;
  /** Stops or resumes reading for one reason; it is read when no reason is left. */
  pause(reason: string, paused: boolean): void;
  /** Says a close frame, after what was sent before it. */
  close(code: number, reason: string): void;
  /** Cuts the connection. */
  abort(): void;
}
