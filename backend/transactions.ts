/**
 * The open transactions of one session: SEND, ACK and NACK frames that name one are kept until its COMMIT, and gone
 * with its ABORT or with the connection (STOMP 1.2, "BEGIN").
 */
import { Refusal } from './refusal.ts';

/** More than one at a time is rare; a client that opens and never ends them must not fill the memory. */
export const MAX_OPEN = 16;
/** Kept over all transactions of a session, in frames and in bytes: a batch, not a store. */
export const MAX_FRAMES = 1000;
export const MAX_BYTES = 1024 * 1024;

interface Kept {
  readonly command: string;
  readonly bytes: Uint8Array;
}

export class Transactions<F extends Kept> {
  readonly #open = new Map<string, F[]>();
  #frames = 0;
  #bytes = 0;

  begin(id: string): void {
    if (this.#open.has(id)) throw new Refusal('transaction already open', `BEGIN of ${id}: it is open already.`);
    if (this.#open.size >= MAX_OPEN) {
      throw new Refusal('too many transactions', `At most ${MAX_OPEN} transactions may be open in one session.`);
    }
    this.#open.set(id, []);
  }

  /** Keeps a frame until its transaction ends. */
  add(id: string, frame: F): void {
    const frames = this.#find(id, frame.command);
    if (this.#frames + 1 > MAX_FRAMES || this.#bytes + frame.bytes.length > MAX_BYTES) {
      throw new Refusal(
        'transaction too large',
        `The open transactions of a session may keep ${MAX_FRAMES} frames and ${MAX_BYTES} bytes: COMMIT more often.`,
      );
    }
    frames.push(frame);
    this.#frames += 1;
    this.#bytes += frame.bytes.length;
  }

  /** Ends the transaction and gives its frames, in the order in which they came. */
  commit(id: string): F[] {
    return this.#end(id, 'COMMIT');
  }

  abort(id: string): void {
    this.#end(id, 'ABORT');
  }

  #end(id: string, command: string): F[] {
    const frames = this.#find(id, command);
    this.#open.delete(id);
    this.#frames -= frames.length;
    for (const frame of frames) this.#bytes -= frame.bytes.length;
    return frames;
  }

  #find(id: string, command: string): F[] {
    const frames = this.#open.get(id);
    if (frames === undefined) throw new Refusal('unknown transaction', `${command}: no transaction ${id} is open.`);
    return frames;
  }
}
