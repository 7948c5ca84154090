/**
 * One side of a relay: a socket and its heart-beats.
 *
 * STOMP heart-beats are what the two sides agreed on; beside them a WebSocket ping is sent whenever nothing was heard for
 * `pingEveryMs`, because some backends promise slow beats or none (Spring: 10 s or 0) and every WebSocket must answer pings.
 * A process that hangs and a connection that is half open answer neither.
 */
import { Beats } from '../../stomp/index.ts';
import type { WholeFrame } from '../../websocket/index.ts';
import type { Socket } from './socket.ts';

export interface LegOptions {
  readonly pingEveryMs: number;
  /** Nothing at all was heard for this long: the peer is gone. */
  readonly goneMs: number;
  /** So many intervals without a promised heart-beat: the peer is gone. */
  readonly tolerance: number;
}

export class Leg {
  readonly socket: Socket;
  readonly #options: LegOptions;
  #beats: Beats;
  #expects = false;
  #pingedAtMs: number;
  /** Before this nothing is to be done: most looks, of which there are four a second and side, end here. */
  #dueAtMs = 0;

  constructor(socket: Socket, options: LegOptions, now: number) {
    this.socket = socket;
    this.#options = options;
    this.#beats = new Beats({ sendEveryMs: 0, expectEveryMs: 0 }, now);
    this.#pingedAtMs = now;
  }

  /** Heart-beats from now on, in ms, 0 for none. Silence before them was no promise broken. */
  setBeats(sendEveryMs: number, expectEveryMs: number, now: number): void {
    this.socket.excuse();
    this.#beats = new Beats({ sendEveryMs, expectEveryMs, tolerance: this.#options.tolerance }, now);
    this.#expects = expectEveryMs > 0;
    this.#dueAtMs = now;
  }

  /** The peer has sent its close frame, or ended its side, or many others of its kind have ended: what is said now may be lost. */
  get isUncertain(): boolean {
    return !this.socket.isOpen || this.socket.inDoubtSinceMs !== undefined;
  }

  send(bytes: Uint8Array, binary: boolean, now: number): void {
    this.#beats.sent(now);
    this.socket.send(bytes, binary);
  }

  /** The same for a frame that goes on as it came. */
  pass(frame: WholeFrame, now: number): void {
    this.#beats.sent(now);
    this.socket.pass(frame);
  }

  /** The same for several frames. */
  passFrames(octets: Uint8Array, from: number, to: number, now: number): void {
    this.#beats.sent(now);
    this.socket.passFrames?.(octets, from, to);
  }

  /** So many ms of silence were ours. */
  excuse(ms: number): void {
    this.socket.excuse(ms);
  }

  /** Sends what is due. Returns for how many ms a peer that counts as gone has been silent, else 0. */
  beat(now: number, heartbeat: Uint8Array): number {
    if (now < this.#dueAtMs) return 0;
    const silentMs = this.#lookAfter(now, heartbeat);
    this.#dueAtMs = this.#nextDeadline();
    return silentMs;
  }

  #lookAfter(now: number, heartbeat: Uint8Array): number {
    if (this.#beats.due(now)) this.send(heartbeat, false, now);
    if (this.socket.isPaused || !this.socket.isOpen) return 0;
    const silentMs = now - this.socket.heardAtMs;
    if (silentMs >= this.#options.goneMs) return silentMs;
    // Not silent for so long, so it has talked since: it is there, and just does not answer pings, or has not come to them yet.
    if (now - (this.socket.inDoubtSinceMs ?? now) >= this.#options.goneMs) this.socket.believe?.();
    if (silentMs >= this.#options.pingEveryMs && now - this.#pingedAtMs >= this.#options.pingEveryMs) {
      this.#pingedAtMs = now;
      this.socket.ping();
    }
    return this.#expects ? this.#missedBeats(now) : 0;
  }

  /**
   * All that happens until then puts it off, but for other beats: who is heard, who is read again, whom we could not hear. A doubt that begins
   * later is looked at in time, as `goneMs` is more than `pingEveryMs`.
   */
  #nextDeadline(): number {
    const { heardAtMs, inDoubtSinceMs = Number.POSITIVE_INFINITY } = this.socket;
    const { pingEveryMs, goneMs } = this.#options;
    const pingAtMs = Math.max(heardAtMs, this.#pingedAtMs) + pingEveryMs;
    return Math.min(this.#beats.nextDeadline(), pingAtMs, Math.min(heardAtMs, inDoubtSinceMs) + goneMs);
  }

  /** Data, not pongs: a backend whose WebSocket answers while its STOMP does not. */
  #missedBeats(now: number): number {
    this.#beats.received(this.socket.heardDataAtMs);
    return this.#beats.silent(now) ? now - this.socket.heardDataAtMs : 0;
  }
}
