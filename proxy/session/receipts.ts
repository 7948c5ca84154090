/**
 * Receipts that the client has asked for and not got.
 *
 * Each is owed by the link that carried the frame. When that link dies a SEND is sent again on the next one, marked as a
 * repeat (at least once is what its receipt asks for); a SUBSCRIBE or UNSUBSCRIBE is true as soon as the replay is, and is
 * answered then. A link that answers its DISCONNECT has taken all that came before it, so its debts are paid with that. The
 * kept frames count in the session's bound: past it reading from the client stops until answers come.
 *
 * Some answers never come: RabbitMQ refuses a frame with an ERROR that does not say which one, and Spring's broker relay answers
 * no receipt for what its application takes. Such a debt is given up in time, or the client would never be read again and each
 * recovery would repeat what was sent long ago; if the receipt comes after all, the client still gets it.
 */
import type { Frame } from '../../stomp/index.ts';
import type { LinkId } from './events.ts';
import { costOf } from './hold.ts';
import { SparseSet } from './sparse.ts';

/** Longer than a broker takes that still works; a pod that hangs is noticed sooner by its silence. */
export const RECEIPT_MAX_MS = 30_000;
/** Debts given up whose ids are remembered, for receipts that come after all; past that the oldest is forgotten. */
export const GIVEN_UP_MAX = 256;

export interface Owed {
  readonly id: string;
  readonly link: LinkId;
  readonly frame: Frame;
  readonly binary: boolean;
  readonly sinceMs: number;
}

export class Receipts {
  #owed: Owed[] = [];
  #bytes = 0;
  readonly #givenUp = new SparseSet<string>();

  get bytes(): number {
    return this.#bytes;
  }

  get length(): number {
    return this.#owed.length;
  }

  /** Notes that `link` carries a frame that asks for a receipt; a frame that asks for none is no debt. */
  owe(frame: Frame, link: LinkId, binary: boolean, now: number): void {
    const id = frame.header('receipt');
    if (id === undefined) return;
    this.#owed.push({ id, link, frame, binary, sinceMs: now });
    this.#bytes += costOf(frame);
  }

  /** A RECEIPT came on `link`: the debt it pays, once; undefined for a repeat or another link's debt. */
  pay(id: string, link: LinkId): Owed | undefined {
    const index = this.#owed.findIndex((owed) => owed.id === id && owed.link === link);
    if (index < 0) return undefined;
    const [paid] = this.#owed.splice(index, 1);
    if (paid !== undefined) this.#bytes -= costOf(paid.frame);
    return paid;
  }

  /** When the oldest debt is given up; Infinity when there is none. */
  nextDeadline(): number {
    return (this.#owed[0]?.sinceMs ?? Number.POSITIVE_INFINITY) + RECEIPT_MAX_MS;
  }

  /** Gives up what has been owed for RECEIPT_MAX_MS. Not while there is no link to pay it: that time does not count. */
  giveUp(now: number): void {
    for (let oldest = this.#owed[0]; oldest !== undefined && now >= this.nextDeadline(); oldest = this.#owed[0]) {
      this.#owed.shift();
      this.#bytes -= costOf(oldest.frame);
      this.#remember(oldest.id);
    }
  }

  /** Was this receipt given up? It is no longer after this question. */
  takeGivenUp(id: string): boolean {
    return this.#givenUp.delete(id);
  }

  #remember(id: string): void {
    this.#givenUp.add(id);
    if (this.#givenUp.size <= GIVEN_UP_MAX) return;
    for (const first of this.#givenUp) {
      this.#givenUp.delete(first);
      break;
    }
  }

  /** Takes out all that one link owes, in the order it was asked for. */
  takeOf(link: LinkId): Owed[] {
    return this.takeOrphans((id) => id !== link);
  }

  /** The link owes the answer to a SUBSCRIBE: whether that is live there is not known. */
  owesSubscription(link: LinkId): boolean {
    return this.#owed.some((owed) => owed.link === link && owed.frame.command === 'SUBSCRIBE');
  }

  /** The link owes the outcome of a transaction that has ended, which another link cannot know. */
  owesOutcome(link: LinkId, open: { has(transaction: string): boolean }): boolean {
    return this.#owed.some(({ link: by, frame }) => {
      const transaction = frame.header('transaction');
      return by === link && transaction !== undefined && frame.command !== 'ABORT' && !open.has(transaction);
    });
  }

  /** Takes out the debt for one frame, whoever owes it; false when it was paid. */
  takeFor(frame: Frame): boolean {
    const index = this.#owed.findIndex((owed) => owed.frame === frame);
    if (index < 0) return false;
    this.#owed.splice(index, 1);
    this.#bytes -= costOf(frame);
    return true;
  }

  /** Takes out what dead links owe, in the order it was asked for. */
  takeOrphans(isAlive: (link: LinkId) => boolean): Owed[] {
    const orphans = this.#owed.filter((owed) => !isAlive(owed.link));
    this.#owed = this.#owed.filter((owed) => isAlive(owed.link));
    for (const owed of orphans) this.#bytes -= costOf(owed.frame);
    return orphans;
  }
}
