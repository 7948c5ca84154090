/** The splices of a session: one for each `fanout` subscription that more than one link has. */
import type { LinkId } from './events.ts';
import type { HeldMessage } from './ordering.ts';
import { SparseMap } from './sparse.ts';
import { Splice } from './splice.ts';

export class Splices {
  readonly #holdBytes: number;
  /** By the key of the subscription. */
  readonly #splices = new SparseMap<string, Splice>();

  /** @param holdBytes held copies past which links that follow are not read */
  constructor(holdBytes: number) {
    this.#holdBytes = holdBytes;
  }

  get size(): number {
    return this.#splices.size;
  }

  get heldBytes(): number {
    let bytes = 0;
    for (const splice of this.#splices.values()) bytes += splice.heldBytes;
    return bytes;
  }

  get heldFrames(): number {
    let frames = 0;
    for (const splice of this.#splices.values()) frames += splice.heldFrames;
    return frames;
  }

  /** @param leader the link that has the subscription already, if nobody leads yet */
  join(key: string, leader: LinkId, link: LinkId): void {
    const splice = this.#splices.get(key) ?? new Splice(leader);
    this.#splices.set(key, splice);
    splice.join(link);
  }

  proven(link: LinkId, now: number): void {
    for (const splice of this.#splices.values()) splice.proven(link, now);
  }

  /** A message of that subscription has come; what may go to the client now. */
  offer(key: string, message: HeldMessage, now: number): HeldMessage[] {
    const splice = this.#splices.get(key);
    return splice === undefined ? [message] : splice.offer(message, now);
  }

  /** The link has ended; what may go to the client now. */
  leave(link: LinkId, now: number): HeldMessage[] {
    const messages = [...this.#splices.values()].flatMap((splice) => splice.leave(link, now));
    this.expire(now);
    return messages;
  }

  /** The link is read, or not. */
  read(link: LinkId, isRead: boolean, now: number): void {
    for (const splice of this.#splices.values()) splice.read(link, isRead, now);
  }

  /** The client has unsubscribed. */
  remove(key: string): void {
    this.#splices.delete(key);
  }

  expire(now: number): void {
    for (const [key, splice] of this.#splices) {
      splice.expire(now);
      if (splice.isOver) this.#splices.delete(key);
    }
  }

  nextDeadline(): number {
    let atMs = Number.POSITIVE_INFINITY;
    for (const splice of this.#splices.values()) atMs = Math.min(atMs, splice.nextDeadline());
    return atMs;
  }

  isBehind(link: LinkId): boolean {
    for (const splice of this.#splices.values()) if (splice.isBehind(link)) return true;
    return false;
  }

  /** More is held than the bound allows, and this link is one that it comes from. The leading one is read on. */
  holdsBack(link: LinkId): boolean {
    if (this.#splices.size === 0 || this.heldBytes <= this.#holdBytes) return false;
    for (const splice of this.#splices.values()) if (splice.holds(link)) return true;
    return false;
  }
}
