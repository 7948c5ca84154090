/**
 * Frames that were said and not written yet, as few buffers: small ones are copied together, and a run of frames that are passed on as they
 * came in is one view of where they lie.
 */
import { frameLength, writeFrame } from './frame-writer.ts';

/** What is copied together is put into buffers of about this size, each of them one write. */
const COPY_MAX_BYTES = 16 * 1024;

/** Octets [from, to): the payload of a frame with that opcode, or, without one, whole frames. */
interface Item {
  readonly octets: Uint8Array;
  readonly from: number;
  to: number;
  readonly opcode: number | undefined;
}

export class Outbox {
  readonly #isMasked: boolean;
  #items: Item[] = [];
  #last: Item | undefined;
  #bytes = 0;

  /** @param isMasked whether frames of our own are: a client's must be, a server's must not, RFC 6455 §5.1 */
  constructor(isMasked: boolean) {
    this.#isMasked = isMasked;
  }

  /** Of all frames, heads included. */
  get bytes(): number {
    return this.#bytes;
  }

  get isEmpty(): boolean {
    return this.#last === undefined;
  }

  say(opcode: number, payload: Uint8Array): void {
    this.#push({ octets: payload, from: 0, to: payload.length, opcode });
    this.#bytes += frameLength(payload.length, this.#isMasked);
  }

  /** Whole frames as they shall be written; nobody may write to [from, to) of `octets` any more. */
  pass(octets: Uint8Array, from: number, to: number): void {
    const last = this.#last;
    if (last?.octets === octets && last.to === from && last.opcode === undefined) last.to = to;
    else this.#push({ octets, from, to, opcode: undefined });
    this.#bytes += to - from;
  }

  /** Gives away what there is, in order, and begins anew. */
  take(): Uint8Array[] {
    const items = this.#items;
    this.clear();
    const pieces: Uint8Array[] = [];
    for (let from = 0; from < items.length; ) from = this.#join(items, from, pieces);
    return pieces;
  }

  clear(): void {
    this.#items = [];
    this.#last = undefined;
    this.#bytes = 0;
  }

  #push(item: Item): void {
    this.#items.push(item);
    this.#last = item;
  }

  /** As many items as fit into one buffer. @returns where the rest begins */
  #join(items: readonly Item[], from: number, pieces: Uint8Array[]): number {
    let bytes = this.#lengthOf(items[from] as Item);
    let next = from + 1;
    for (; next < items.length; next++) {
      const more = this.#lengthOf(items[next] as Item);
      if (bytes + more > COPY_MAX_BYTES) break;
      bytes += more;
    }
    const first = items[from] as Item;
    if (next === from + 1 && first.opcode === undefined) pieces.push(first.octets.subarray(first.from, first.to));
    else pieces.push(this.#copy(items, from, next, bytes));
    return next;
  }

  #copy(items: readonly Item[], from: number, to: number, bytes: number): Uint8Array {
    const piece = Buffer.allocUnsafe(bytes);
    let at = 0;
    for (let i = from; i < to; i++) {
      const { octets, from: start, to: end, opcode } = items[i] as Item;
      if (opcode !== undefined) at = writeFrame(piece, at, opcode, octets, this.#isMasked);
      else {
        piece.set(octets.subarray(start, end), at);
        at += end - start;
      }
    }
    return piece;
  }

  #lengthOf({ from, to, opcode }: Item): number {
    return opcode === undefined ? to - from : frameLength(to - from, this.#isMasked);
  }
}
