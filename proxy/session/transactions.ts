/**
 * The client's open transactions, with their frames, so that one can be said again whole on another link.
 *
 * A broker undoes what a lost connection had not committed, so saying all of it again applies it once. What cannot be said
 * again ends the session, and the client is told: a transaction with an ACK, whose delivery died with its link; one of which an
 * application has taken a frame; one that is larger than what may be held; and one whose COMMIT was under way, because nobody
 * knows whether it was done.
 */
import type { Frame } from '../../stomp/index.ts';
import { costOf } from './hold.ts';
import { SparseMap } from './sparse.ts';

export interface KeptFrame {
  readonly frame: Frame;
  readonly binary: boolean;
}

interface Transaction {
  /** From BEGIN on; undefined when it cannot be said again. */
  frames: KeptFrame[] | undefined;
}

export class Transactions {
  readonly #maxBytes: number;
  readonly #open = new SparseMap<string, Transaction>();
  #bytes = 0;

  /** @param maxBytes how much is kept of all open transactions together; one that goes past it is not kept any more */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get size(): number {
    return this.#open.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get length(): number {
    let frames = 0;
    for (const transaction of this.#open.values()) frames += transaction.frames?.length ?? 0;
    return frames;
  }

  /** Could all of them be said again? */
  get areWhole(): boolean {
    for (const { frames } of this.#open.values()) if (frames === undefined) return false;
    return true;
  }

  has(name: string): boolean {
    return this.#open.has(name);
  }

  names(): Iterable<string> {
    return this.#open.keys();
  }

  /** All kept frames, in the order of the transactions and of the frames in each. */
  *frames(): Iterable<KeptFrame> {
    for (const { frames } of this.#open.values()) yield* frames ?? [];
  }

  /**
   * Notes a frame that was passed on, if it belongs to a transaction.
   * @param isBrokers a broker has it, which undoes it with the transaction; an application has taken it for good
   */
  note(frame: Frame, binary: boolean, isBrokers = true): void {
    const name = frame.header('transaction');
    if (name === undefined) return;
    if (frame.command === 'BEGIN' && !this.#open.has(name)) this.#open.set(name, { frames: [] });
    const transaction = this.#open.get(name);
    if (transaction === undefined) return;
    if (frame.command === 'COMMIT' || frame.command === 'ABORT') return this.#end(name, transaction);
    if (frame.command === 'ACK' || frame.command === 'NACK' || !isBrokers) return this.#forget(transaction);
    if (transaction.frames === undefined) return;
    transaction.frames.push({ frame, binary });
    this.#bytes += costOf(frame);
    if (this.#bytes > this.#maxBytes) this.#forget(transaction);
  }

  #end(name: string, transaction: Transaction): void {
    this.#forget(transaction);
    this.#open.delete(name);
  }

  #forget(transaction: Transaction): void {
    for (const { frame } of transaction.frames ?? []) this.#bytes -= costOf(frame);
    transaction.frames = undefined;
  }
}
