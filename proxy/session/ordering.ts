/**
 * In which order messages of several links go to the client.
 *
 * For `unicast` destinations each message goes to one pod, so what was sent before the producers moved arrives on an older
 * link and what came after on a newer one. Links are ranked by when they became the session's choice. A message goes
 *  - at once, when no other link is left, or when its sequence number follows the last one delivered;
 *  - when its sequence number shows a hole: as soon as the hole is filled from another link, at latest after `orderMaxMs`. That
 *    may be a newer link: a pod that hangs is asked first, and the next message goes to the pod that is still being left. Holes
 *    are given up one by one, ORDER_POLL_MS apart: what was held for the first may have kept a link unread that fills the second.
 *    And none is given up while another link, which has brought nothing later of the stream, is not read because the hold is
 *    full, for what fills it may be there: that lasts until the older links are drained;
 *  - when its number is the first one of a stream that is seen here: when its destination was silent on all other links for
 *    `orderQuietMs`, and the message itself has waited ORDER_POLL_MS, so that what had reached us before is read first;
 *  - without a number: the same, by older links alone.
 * Order is kept in lanes: a lane is a stream of a destination, by its numbers, or else the destination's messages without
 * numbers, older links first. In a lane nothing overtakes what is held; between lanes there is no order to keep.
 *
 * A link that was left can be chosen again. It then is older and newer than the links between: what was sent to it before
 * may still be under way, and what comes now is the latest. So they wait for it as they did, and it for them; but they wait
 * CHOSEN_AGAIN_MAX_MS at most, for it is busy with what is new and may never be silent.
 */
import type { Frame } from '../../stomp/index.ts';
import type { LinkId } from './events.ts';
import type { Held } from './hold.ts';
import { costOf } from './hold.ts';
import { CHOSEN_AGAIN_MAX_MS, ORDER_POLL_MS } from './options.ts';
import type { SequenceNumber, Sequences } from './sequence.ts';

export interface HeldMessage extends Held {
  readonly frame: Frame;
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
  /** Held messages by lane, in the order in which they will go. */
  readonly #lanes = new Map<string, Ranked[]>();
  #bytes = 0;
  #frames = 0;
  #lastRank = 0;
  /** When a hole was last waited for in vain. */
  #gaveUpAtMs = Number.NEGATIVE_INFINITY;
  /** Links that are not read now, and when one of them was last read again. */
  readonly #unread = new Set<LinkId>();
  #readAgainAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: OrderingOptions, sequences: Sequences) {
    this.#options = options;
    this.#sequences = sequences;
  }

  get heldBytes(): number {
    return this.#bytes;
  }

  get heldFrames(): number {
    return this.#frames;
  }

  get full(): boolean {
    return this.#bytes > this.#options.holdBytes;
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
    this.#unread.delete(link);
  }

  /** A link is not read any more, or is again. */
  read(link: LinkId, isRead: boolean, now: number): void {
    if (!isRead) this.#unread.add(link);
    else if (this.#unread.delete(link)) this.#readAgainAtMs = now;
  }

  /** A message has arrived; it is held until `due` gives it out, which may be at once. */
  offer(message: HeldMessage, now: number): void {
    const watched = this.#links.get(message.link);
    watched?.activity.heard(message.destination, now);
    const ranked = { ...message, rank: watched?.rank ?? 0 };
    const name = laneOf(message);
    const lane = this.#lanes.get(name) ?? [];
    const behind = lane.findLastIndex((held) => goesBefore(held, ranked));
    lane.splice(behind + 1, 0, ranked);
    this.#lanes.set(name, lane);
    this.#bytes += costOf(message);
    this.#frames++;
  }

  /** Takes out, one by one, what may go now. Each must be noted in the sequences before the next is asked for. */
  *due(now: number): Iterable<HeldMessage> {
    for (const [name, lane] of this.#lanes) {
      for (let first = lane[0]; first !== undefined && this.#releaseAt(first) <= now; first = lane[0]) {
        lane.shift();
        if (this.#isHole(first)) this.#gaveUpAtMs = now;
        this.#bytes -= costOf(first);
        this.#frames--;
        yield first;
      }
      if (lane.length === 0) this.#lanes.delete(name);
    }
  }

  /** When the next held message may go; Infinity when none is held. */
  nextDeadline(): number {
    let at = Number.POSITIVE_INFINITY;
    for (const [first] of this.#lanes.values()) if (first !== undefined) at = Math.min(at, this.#releaseAt(first));
    return at;
  }

  /**
   * Is this a link that is not read while the hold is full? One that has something which held messages of others may wait for is
   * read on, until it holds something itself past twice the bound.
   */
  holdsBack(link: LinkId): boolean {
    const watched = this.#links.get(link);
    if (watched === undefined) return false;
    const isLast = this.#hasOlder({ link, rank: watched.rank }) && !this.#isAwaited(link, watched.firstRank);
    return isLast || (this.#bytes > 2 * this.#options.holdBytes && this.#holdsAny(link));
  }

  #holdsAny(link: LinkId): boolean {
    for (const lane of this.#lanes.values()) if (lane.some((held) => held.link === link)) return true;
    return false;
  }

  /** A message with a number may wait for any link, one without only for older ones. */
  #isAwaited(link: LinkId, firstRank: number): boolean {
    const mayWait = (held: Ranked) => held.link !== link && (held.sequence !== undefined || held.rank > firstRank);
    for (const lane of this.#lanes.values()) if (lane.some(mayWait)) return true;
    return false;
  }

  #releaseAt(message: Ranked): number {
    if (!this.#hasAwaited(message)) return message.arrivedMs;
    switch (message.sequence === undefined ? 'unknown' : this.#sequences.expects(message.sequence)) {
      case 'next':
      case 'passed':
        return message.arrivedMs;
      case 'hole':
        return this.#giveUpAt(message);
      case 'unknown':
        return Math.max(this.#quietAt(message), message.arrivedMs + ORDER_POLL_MS);
    }
  }

  /** When what is missing before this message is waited for no more. */
  #giveUpAt(message: Ranked): number {
    const { link, arrivedMs } = message;
    if (!this.#unread.has(link) && this.#mayBeUnread(message)) return Number.POSITIVE_INFINITY;
    const { orderMaxMs, orderQuietMs } = this.#options;
    return Math.max(arrivedMs + orderMaxMs, this.#gaveUpAtMs + ORDER_POLL_MS, this.#readAgainAtMs + orderQuietMs);
  }

  /** A link that has brought a later number of the stream has not got the missing one: each link has a stream in its order. */
  #mayBeUnread(message: Ranked): boolean {
    if (this.#unread.size === 0) return false;
    const later = new Set(this.#lanes.get(laneOf(message))?.map(({ link }) => link));
    for (const link of this.#unread) if (!later.has(link)) return true;
    return false;
  }

  #isHole({ sequence }: Ranked): boolean {
    return sequence !== undefined && this.#sequences.expects(sequence) === 'hole';
  }

  /** When the message's destination counts as silent on every link that it waits for. */
  #quietAt(message: Ranked): number {
    const { orderQuietMs } = this.#options;
    let at = Number.NEGATIVE_INFINITY;
    for (const [link, { rank, firstRank, activity }] of this.#links) {
      if (link === message.link || (message.sequence === undefined && firstRank >= message.rank)) continue;
      const quietMs = activity.last(message.destination) + orderQuietMs;
      const isChosenAgain = rank > message.rank;
      at = Math.max(at, isChosenAgain ? Math.min(quietMs, message.arrivedMs + CHOSEN_AGAIN_MAX_MS) : quietMs);
    }
    return at;
  }

  #hasAwaited(message: Ranked): boolean {
    if (message.sequence === undefined) return this.#hasOlder(message);
    return this.#links.size > (this.#links.has(message.link) ? 1 : 0);
  }

  #hasOlder(message: Pick<Ranked, 'link' | 'rank'>): boolean {
    for (const [link, { firstRank }] of this.#links) if (link !== message.link && firstRank < message.rank) return true;
    return false;
  }
}

function laneOf({ sequence, destination }: HeldMessage): string {
  return sequence === undefined ? `destination ${destination}` : `stream ${sequence.key}`;
}

/** In one lane. */
function goesBefore(a: Ranked, b: Ranked): boolean {
  if (a.sequence !== undefined && b.sequence !== undefined) return a.sequence.n <= b.sequence.n;
  return a.rank <= b.rank;
}
