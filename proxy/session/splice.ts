/**
 * Puts the copies of a `fanout` subscription together: every pod delivers each message, the client gets it once.
 *
 * One link leads: what it brings goes to the client at once. The others follow: what they bring is held until the leader has
 * shown the same, and then dropped. When the leader ends, the next link leads, and what it holds goes: exactly
 * what the leader had not shown yet. What the leader showed and a follower has not brought yet is remembered, and dropped when it comes.
 *
 * So nothing depends on where the two streams meet. That matters, because two nodes of a broker order messages of several
 * producers differently (those of one producer never), and each of them has begun at a moment that nobody knows.
 *
 * A follower may also bring what the leader showed before the follower was even dialled: its pod is later with that message. Nobody
 * remembers it, so it is held. But when leader and follower have shown the same, the leader has shown all that the follower brought more
 * than SKEW_MS before; what is still held of that was shown long ago, and is dropped.
 *
 * Copies are known by what they say (fingerprint.ts). Of messages that are equal octet for octet it is their number that counts.
 * What the leader showed before a follower was subscribed never comes there, and must not be taken for a later, equal
 * message: it is forgotten SKEW_MS after the barrier, which proves the subscription.
 */
import type { LinkId } from './events.ts';
import { fingerprint } from './fingerprint.ts';
import { costOf } from './hold.ts';
import type { HeldMessage } from './ordering.ts';

/**
 * How much two pods may differ in the order of messages of different producers, and after the barrier, how late what was shown before
 * it may come on the other link; RabbitMQ's nodes are 0 to 250 ms apart under load.
 */
export const SKEW_MS = 500;
/** A copy that has not come after so long will not come: the backlog of a node that is overloaded, and as long as it is drained. */
export const COPY_LATE_MAX_MS = 30_000;
/**
 * Messages remembered that a follower has not brought yet; past that the oldest is forgotten, and would be delivered twice. 10,000 a
 * second for as long as a link may be silent.
 */
export const SHOWN_MAX = 65_536;

interface Shown {
  readonly print: string;
  untilMs: number;
  isOver: boolean;
}

/** What others have shown and this link has not brought yet, oldest first. */
class ShownElsewhere {
  #queue: Shown[] = [];
  #first = 0;
  readonly #byPrint = new Map<string, Shown[]>();

  get size(): number {
    return this.#queue.length - this.#first;
  }

  add(print: string, untilMs: number): void {
    const shown = { print, untilMs, isOver: false };
    this.#queue.push(shown);
    const same = this.#byPrint.get(print);
    if (same === undefined) this.#byPrint.set(print, [shown]);
    else same.push(shown);
    if (this.size > SHOWN_MAX) this.#forgetFirst();
  }

  /** Is this one of them? Then it is no longer. */
  take(print: string): boolean {
    const same = this.#byPrint.get(print);
    const first = same?.shift();
    if (same === undefined || first === undefined) return false;
    first.isOver = true;
    if (same.length === 0) this.#byPrint.delete(print);
    this.#skip();
    return true;
  }

  /** The link was not read for so long. */
  postpone(ms: number): void {
    for (const shown of this.#queue) shown.untilMs += ms;
  }

  /** All that is here is forgotten at that time, if not before. */
  shorten(untilMs: number): void {
    for (const shown of this.#queue) shown.untilMs = Math.min(shown.untilMs, untilMs);
  }

  expire(now: number): void {
    for (let first = this.#queue[this.#first]; first !== undefined && first.untilMs <= now; ) {
      this.#forgetFirst();
      first = this.#queue[this.#first];
    }
  }

  nextDeadline(): number {
    return this.#queue[this.#first]?.untilMs ?? Number.POSITIVE_INFINITY;
  }

  #forgetFirst(): void {
    const first = this.#queue[this.#first];
    if (first !== undefined) this.take(first.print);
  }

  /** Moves on past what is over; the array is cut when half of it is. */
  #skip(): void {
    while (this.#queue[this.#first]?.isOver === true) this.#first++;
    if (this.#first * 2 <= this.#queue.length) return;
    this.#queue = this.#queue.slice(this.#first);
    this.#first = 0;
  }
}

interface Copy {
  readonly print: string;
  readonly message: HeldMessage;
}

/** What this link has brought and the leader has not shown yet, in the order in which it came. */
class HeldCopies {
  readonly #copies = new Map<number, Copy>();
  readonly #byPrint = new Map<string, number[]>();
  #last = 0;
  bytes = 0;

  get size(): number {
    return this.#copies.size;
  }

  add(print: string, message: HeldMessage): void {
    const n = ++this.#last;
    this.#copies.set(n, { print, message });
    const same = this.#byPrint.get(print);
    if (same === undefined) this.#byPrint.set(print, [n]);
    else same.push(n);
    this.bytes += costOf(message);
  }

  /** The leader has shown this: is it here? Then it is taken out. */
  take(print: string): Copy | undefined {
    const same = this.#byPrint.get(print);
    const n = same?.shift();
    const copy = n === undefined ? undefined : this.#copies.get(n);
    if (same === undefined || n === undefined || copy === undefined) return undefined;
    if (same.length === 0) this.#byPrint.delete(print);
    this.#copies.delete(n);
    this.bytes -= costOf(copy.message);
    return copy;
  }

  /** Drops those that came from one moment on up to another. */
  dropBetween(fromMs: number, toMs: number): void {
    for (const { print, message } of this.#copies.values()) {
      if (message.arrivedMs >= toMs) return;
      if (message.arrivedMs >= fromMs) this.take(print);
    }
  }

  takeFirst(): Copy | undefined {
    for (const { print } of this.#copies.values()) return this.take(print);
    return undefined;
  }
}

class Member {
  readonly held = new HeldCopies();
  readonly shown = new ShownElsewhere();
  /** The leader has shown something that this link has brought, too: it has shown all that was before. */
  hasMet = false;
  /** Since when the link is not read: what it has is not late meanwhile. */
  unreadSinceMs: number | undefined;
  /** When it was last read again: between what came before and after that, time says nothing. */
  #readAgainMs = Number.NEGATIVE_INFINITY;

  /** The leader has shown what this link brought at that time. */
  meet(arrivedMs: number): void {
    this.hasMet = true;
    this.held.dropBetween(this.#readAgainMs, arrivedMs - SKEW_MS);
  }

  expire(now: number): void {
    if (this.unreadSinceMs === undefined) this.shown.expire(now);
  }

  nextDeadline(): number {
    return this.unreadSinceMs === undefined ? this.shown.nextDeadline() : Number.POSITIVE_INFINITY;
  }

  read(isRead: boolean, now: number): void {
    if (!isRead) this.unreadSinceMs ??= now;
    else if (this.unreadSinceMs !== undefined) {
      this.shown.postpone(now - this.unreadSinceMs);
      this.unreadSinceMs = undefined;
      this.#readAgainMs = now;
    }
  }
}

/** The copies of one subscription. */
export class Splice {
  /** In the order in which they will lead. */
  readonly #members = new Map<LinkId, Member>();

  constructor(leader: LinkId) {
    this.#members.set(leader, new Member());
  }

  get heldBytes(): number {
    let bytes = 0;
    for (const { held } of this.#members.values()) bytes += held.bytes;
    return bytes;
  }

  get heldFrames(): number {
    let frames = 0;
    for (const { held } of this.#members.values()) frames += held.size;
    return frames;
  }

  /** Nothing is left to put together. */
  get isOver(): boolean {
    const [only] = this.#members.values();
    return this.#members.size < 2 && (only === undefined || only.shown.size === 0);
  }

  join(link: LinkId): void {
    if (!this.#members.has(link)) this.#members.set(link, new Member());
  }

  /** The link's subscription is live: what it will bring has all been shown after some moment before now. */
  proven(link: LinkId, now: number): void {
    this.#members.get(link)?.shown.shorten(now + SKEW_MS);
  }

  /** A message has come; what may go to the client now. */
  offer(message: HeldMessage, now: number): HeldMessage[] {
    const print = fingerprint(message.frame);
    const member = this.#members.get(message.link);
    if (member === undefined) return [message];
    if (member.shown.take(print)) {
      member.meet(message.arrivedMs);
      return [];
    }
    if (member !== this.#leader()) {
      member.held.add(print, message);
      return [];
    }
    this.#show(print, member, now);
    return [message];
  }

  /** The link has ended; what may go to the client now. */
  leave(link: LinkId, now: number): HeldMessage[] {
    const before = this.#leader();
    this.#members.delete(link);
    const leader = this.#leader();
    return leader === undefined || leader === before ? [] : this.#takeOver(leader, now);
  }

  /** The link is read, or not. */
  read(link: LinkId, isRead: boolean, now: number): void {
    this.#members.get(link)?.read(isRead, now);
  }

  holds(link: LinkId): boolean {
    return (this.#members.get(link)?.held.size ?? 0) > 0;
  }

  /** Does this link lead and has not yet reached what others began with? It may have messages that nobody else has. */
  isBehind(link: LinkId): boolean {
    if (this.#members.get(link) !== this.#leader()) return false;
    for (const { held, hasMet } of this.#members.values()) if (held.size > 0 && !hasMet) return true;
    return false;
  }

  expire(now: number): void {
    for (const member of this.#members.values()) member.expire(now);
  }

  nextDeadline(): number {
    let atMs = Number.POSITIVE_INFINITY;
    for (const member of this.#members.values()) atMs = Math.min(atMs, member.nextDeadline());
    return atMs;
  }

  #leader(): Member | undefined {
    const [first] = this.#members.values();
    return first;
  }

  #takeOver(leader: Member, now: number): HeldMessage[] {
    const messages: HeldMessage[] = [];
    for (let copy = leader.held.takeFirst(); copy !== undefined; copy = leader.held.takeFirst()) {
      this.#show(copy.print, leader, now);
      messages.push(copy.message);
    }
    return messages;
  }

  /** The client gets it from this one: the others need not bring it. */
  #show(print: string, by: Member, now: number): void {
    for (const member of this.#members.values()) {
      if (member === by) continue;
      const copy = member.held.take(print);
      if (copy === undefined) member.shown.add(print, now + COPY_LATE_MAX_MS);
      else member.meet(copy.message.arrivedMs);
    }
  }
}
