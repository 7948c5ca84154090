/** Heart-beats, STOMP 1.1 and 1.2, "Heart-beating": the header, its agreement, and the keeper of one connection's beats. */

/** What one side can send and wants to receive: the smallest interval in milliseconds, 0 = none. */
export type HeartBeat = readonly [canMs: number, wantsMs: number];

/** The longest interval that timers can wait for (24.8 days); longer ones are cut to it. */
const MAX_INTERVAL_MS = 2 ** 31 - 1;

const HEADER = /^[ \t]*([0-9]+)[ \t]*,[ \t]*([0-9]+)[ \t]*$/;

/** A `heart-beat` header; missing = [0, 0]. Blanks round the numbers are accepted. @returns undefined when it is malformed. */
export function parseHeartBeat(value: string | undefined): HeartBeat | undefined {
  if (value === undefined) return [0, 0];
  const match = HEADER.exec(value);
  if (match === null) return undefined;
  return [Math.min(Number(match[1]), MAX_INTERVAL_MS), Math.min(Number(match[2]), MAX_INTERVAL_MS)];
}

/** The intervals that hold for the side which says `own` to a peer that says `peer`: max of can and wants, 0 if either is 0. */
export function agreeHeartBeat(own: HeartBeat, peer: HeartBeat): { sendEveryMs: number; expectEveryMs: number } {
  return { sendEveryMs: agreed(own[0], peer[1]), expectEveryMs: agreed(peer[0], own[1]) };
}

function agreed(canMs: number, wantsMs: number): number {
  return canMs === 0 || wantsMs === 0 ? 0 : Math.max(canMs, wantsMs);
}

export interface BeatsOptions {
  /** Something must be sent at least this often; 0 = off. */
  readonly sendEveryMs: number;
  /** Something should come at least this often; 0 = off. */
  readonly expectEveryMs: number;
  /** The peer is silent after this many intervals. The specification demands a margin; stomp.js takes 2, Spring 3. */
  readonly tolerance?: number;
}

const DEFAULT_TOLERANCE = 2;

/** Keeper of the beats of one connection. All times in milliseconds of any one clock. */
export class Beats {
  readonly #sendEveryMs: number;
  readonly #silentAfterMs: number;
  #sentAt: number;
  #receivedAt: number;

  constructor(options: BeatsOptions, now: number) {
    this.#sendEveryMs = options.sendEveryMs > 0 ? options.sendEveryMs : Infinity;
    const silentAfterMs = options.expectEveryMs * (options.tolerance ?? DEFAULT_TOLERANCE);
    this.#silentAfterMs = silentAfterMs > 0 ? silentAfterMs : Infinity;
    this.#sentAt = now;
    this.#receivedAt = now;
  }

  /** Anything was sent: a frame is as good as a beat. */
  sent(now: number): void {
    this.#sentAt = now;
  }

  /** Anything came in. */
  received(now: number): void {
    this.#receivedAt = now;
  }

  /** Whether a beat should be sent now. */
  due(now: number): boolean {
    return now >= this.#sentAt + this.#sendEveryMs;
  }

  /** Whether the peer has missed its beats. */
  silent(now: number): boolean {
    return now >= this.#receivedAt + this.#silentAfterMs;
  }

  /** When `due` or `silent` becomes true; Infinity when both are off. */
  nextDeadline(): number {
    return Math.min(this.#sentAt + this.#sendEveryMs, this.#receivedAt + this.#silentAfterMs);
  }
}
