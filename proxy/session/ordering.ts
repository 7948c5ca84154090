/**
 * In which order messages of several links go to the client.
 *
 * For `unicast` destinations each message goes to one pod, so what was sent before the producers moved arrives on an older
 * link and what came after on a newer one. Links are ranked by when they became the session's choice. A message goes
 *  - at once, when no older link is left, or when its sequence number follows the last one delivered;
 *  - when its sequence number shows a hole: as soon as the hole is filled from an older link, at latest after `orderMaxMs`;
 *  - without numbers: when its destination was silent on all older links for `orderQuietMs`, and the message itself has
 *    waited ORDER_POLL_MS, so that what had reached us on an older link before is read first.
 * Messages of one destination and link never overtake each other, and never those of an older link that are here already.
 */
import type { LinkId } from './events.ts';
import type { Held } from './hold.ts';
import { Hold } from './hold.ts';
import { ORDER_POLL_MS } from './options.ts';
import type { SequenceNumber, Sequences } from './sequence.ts';

export interface HeldMessage extends Held {
  readonly link: LinkId;
  readonly destination: string;
  readonly sequence: SequenceNumber | undefined;
  readonly id: string | undefined;
  readonly arrivedMs: number;
}

export interface OrderingOptions {
  readonly orderQuietMs: number;
  readonly orderMaxMs: number;
  readonly holdBytes: number;
}

/** Destinations whose last activity is remembered per link; past that the link counts as active on all it forgot. */
export const DESTINATIONS_MAX = 1024;

/** When a link was last heard, by destination. */
class Activity {
  /** Before this moment nothing is known, so every destination counts as active then. */
  #sinceMs: number;
  readonly #lastMs = new Map<string, number>();

  constructor(now: number) {
    this.#sinceMs = now;
  }

  heard(destination: string, now: number): void {
    this.#lastMs.delete(destination);
    this.#lastMs.set(destination, now);
    if (this.#lastMs.size <= DESTINATIONS_MAX) return;
    for (const [oldest, at] of this.#lastMs) {
      this.#lastMs.delete(oldest);
      this.#sinceMs = Math.max(this.#sinceMs, at);
      break;
    }
  }

  last(destination: string): number {
    return this.#lastMs.get(destination) ?? this.#sinceMs;
  }
}

interface Watched {
  rank: number;
  readonly activity: Activity;
}

interface Ranked extends HeldMessage {
  readonly rank: number;
}

export class Ordering {
  readonly #options: OrderingOptions;
  readonly #sequences: Sequences;
  readonly #links = new Map<LinkId, Watched>();
  readonly #hold: Hold<Ranked>;
  #lastRank = 0;

  constructor(options: OrderingOptions, sequences: Sequences) {
    this.#options = options;
    this.#sequences = sequences;
    this.#hold = new Hold(options.holdBytes);
  }

  get heldBytes(): number {
    return this.#hold.bytes;
  }

  get heldFrames(): number {
    return this.#hold.length;
  }

  get full(): boolean {
    return this.#hold.full;
  }

  watch(link: LinkId, now: number): void {
    if (!this.#links.has(link)) this.#links.set(link, { rank: ++this.#lastRank, activity: new Activity(now) });
  }

  /** A link that was left is chosen again: from now on its messages come after those of the links between. */
  promote(link: LinkId): void {
    const watched = this.#links.get(link);
    if (watched !== undefined) watched.rank = ++this.#lastRank;
  }

  /** The link has ended: nothing more comes on it, so nothing has to wait for it. */
  unwatch(link: LinkId): void {
    this.#links.delete(link);
  }

  /** A message has arrived: true when it may go at once, false when it is held. */
  offer(message: HeldMessage, now: number): boolean {
    const watched = this.#links.get(message.link);
    watched?.activity.heard(message.destination, now);
    const ranked = { ...message, rank: watched?.rank ?? 0 };
    const waits = this.#isBehind(ranked) || this.#releaseAt(ranked) > now;
    if (waits) this.#hold.push(ranked);
    return !waits;
  }

  /** Takes out the next message that may go. Each delivery may let another one go, so call until there is none. */
  next(now: number): HeldMessage | undefined {
    for (const message of this.#heads()) {
      if (this.#releaseAt(message) > now) continue;
      this.#hold.take((held) => held === message);
      return message;
    }
    return undefined;
  }

  /** No other link is left: everything goes, older links first. */
  rest(): HeldMessage[] {
    return this.#hold.takeAll().sort((a, b) => a.rank - b.rank);
  }

  /** When the next held message may go; Infinity when none is held. */
  nextDeadline(): number {
    let at = Number.POSITIVE_INFINITY;
    for (const message of this.#heads()) at = Math.min(at, this.#releaseAt(message));
    return at;
  }

  /** The first held message of each destination: of its oldest link, in the order of arrival. */
  #heads(): Iterable<Ranked> {
    const heads = new Map<string, Ranked>();
    for (const message of this.#hold) {
      const head = heads.get(message.destination);
      if (head === undefined || message.rank < head.rank) heads.set(message.destination, message);
    }
    return heads.values();
  }

  #isBehind(message: Ranked): boolean {
    for (const held of this.#hold) {
      if (held.destination === message.destination && held.rank <= message.rank) return true;
    }
    return false;
  }

  #releaseAt(message: Ranked): number {
    const heardMs = this.#lastOnOlder(message);
    if (heardMs === undefined) return message.arrivedMs;
    switch (message.sequence === undefined ? 'unknown' : this.#sequences.expects(message.sequence)) {
      case 'next':
      case 'passed':
        return message.arrivedMs;
      case 'hole':
        return message.arrivedMs + this.#options.orderMaxMs;
      case 'unknown':
        return Math.max(heardMs + this.#options.orderQuietMs, message.arrivedMs + ORDER_POLL_MS);
    }
  }

  /** When an older link was last heard on the message's destination; undefined when there is no older link. */
  #lastOnOlder(message: Ranked): number | undefined {
    let last: number | undefined;
    for (const { rank, activity } of this.#links.values()) {
      if (rank < message.rank) last = Math.max(last ?? 0, activity.last(message.destination));
    }
    return last;
  }
}
