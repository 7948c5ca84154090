/**
 * In which order messages of several links go to the client.
 *
 * For `unicast` destinations each message goes to one pod, so what was sent before the producers moved arrives on an older
 * link and what came after on a newer one. Links are ranked by when they became the session's choice. A message goes
 *  - at once, when no older link is left, or when its sequence number follows the last one delivered;
 *  - when its sequence number shows a hole: as soon as the hole is filled from an older link, at latest after `orderMaxMs`;
 *  - without numbers: when its destination was silent on all older links for `orderQuietMs`, and the message itself has
 *    waited ORDER_POLL_MS, so that what had reached us on an older link before is read first.
 * Messages of one destination and link never overtake each other, nor those of an older link that are here already (unless
 * their numbers say that they come next).
 *
 * A link that was left can be chosen again. It then is older and newer than the links between: what was sent to it before
 * may still be under way, and what comes now is the latest. So they wait for it as they did, and it for them.
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
  /** Its first rank; lower than `rank` once it was chosen again. */
  readonly firstRank: number;
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
    if (this.#links.has(link)) return;
    const rank = ++this.#lastRank;
    this.#links.set(link, { rank, firstRank: rank, activity: new Activity(now) });
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
    for (const message of this.#candidates()) {
      if (this.#releaseAt(message) > now) continue;
      this.#hold.take((held) => held === message);
      return message;
    }
    return undefined;
  }

  /** Does a held message wait for what an older link may still bring? */
  get waitsForOlder(): boolean {
    for (const message of this.#hold) if (this.#lastOnOlder(message) !== undefined) return true;
    return false;
  }

  /** Messages of this link may be held, because there is an older one. */
  holdsBack(link: LinkId): boolean {
    const watched = this.#links.get(link);
    return watched !== undefined && this.#lastOnOlder({ link, rank: watched.rank, destination: '' }) !== undefined;
  }

  /** No older link is left: everything goes, older links first. */
  rest(): HeldMessage[] {
    return this.#hold.takeAll().sort((a, b) => a.rank - b.rank);
  }

  /** When the next held message may go; Infinity when none is held. */
  nextDeadline(): number {
    let at = Number.POSITIVE_INFINITY;
    for (const message of this.#candidates()) at = Math.min(at, this.#releaseAt(message));
    return at;
  }

  /** Of each destination the first held message of its oldest link, and the first of any other link if its number is next. */
  *#candidates(): Iterable<Ranked> {
    const firsts = new Map<string, Map<LinkId, Ranked>>();
    for (const message of this.#hold) {
      const ofLinks = firsts.get(message.destination) ?? new Map<LinkId, Ranked>();
      if (!ofLinks.has(message.link)) ofLinks.set(message.link, message);
      firsts.set(message.destination, ofLinks);
    }
    for (const ofLinks of firsts.values()) {
      const lowest = Math.min(...Array.from(ofLinks.values(), ({ rank }) => rank));
      for (const message of ofLinks.values()) if (message.rank === lowest || this.#isNext(message)) yield message;
    }
  }

  #isBehind(message: Ranked): boolean {
    const isNext = this.#isNext(message);
    for (const held of this.#hold) {
      if (held.destination !== message.destination) continue;
      if (held.link === message.link || (held.rank <= message.rank && !isNext)) return true;
    }
    return false;
  }

  #isNext({ sequence }: HeldMessage): boolean {
    return sequence !== undefined && this.#sequences.expects(sequence) === 'next';
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
  #lastOnOlder(message: Pick<Ranked, 'link' | 'rank' | 'destination'>): number | undefined {
    let last: number | undefined;
    for (const [link, { firstRank, activity }] of this.#links) {
      if (link === message.link || firstRank >= message.rank) continue;
      last = Math.max(last ?? 0, activity.last(message.destination));
    }
    return last;
  }
}
