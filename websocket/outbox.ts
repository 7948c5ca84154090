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
  readonly to: number;
  readonly opcode: number | undefined;
}

const NOTHING = new Uint8Array();

export class Outbox {
  readonly #isMasked: boolean;
  /**
   * The last item, in fields: mostly it is the only one, and there is one for each message that a proxy passes on. A list for each of them
   * would be more than garbage: one that has become old pulls what is put into it through collection after collection (docs/decisions/0018).
   */
  #octets: Uint8Array = NOTHING;
  #from = 0;
  #to = 0;
  #opcode: number | undefined;
  /** The ones before it. */
  #earlier: Item[] | undefined;
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
    return this.#bytes === 0;
  }

  say(opcode: number, payload: Uint8Array): void {
    this.#add(payload, 0, payload.length, opcode);
    this.#bytes += frameLength(payload.length, this.#isMasked);
  }

  /** Whole frames as they shall be written; nobody may write to [from, to) of `octets` any more. */
  pass(octets: Uint8Array, from: number, to: number): void {
    if (octets === this.#octets && from === this.#to && this.#opcode === undefined) this.#to = to;
    else this.#add(octets, from, to, undefined);
    this.#bytes += to - from;
  }

  /** Gives away what there is, in order, and begins anew. */
  take(): Uint8Array[] {
    if (this.isEmpty) return [];
    const last = this.#last;
    const earlier = this.#earlier;
    this.clear();
    if (earlier === undefined) return [this.#piece(last)];
    const items = [...earlier, last];
    const pieces: Uint8Array[] = [];
    for (let from = 0; from < items.length; ) from = this.#join(items, from, pieces);
    return pieces;
  }

  clear(): void {
    this.#octets = NOTHING;
    this.#from = 0;
    this.#to = 0;
    this.#opcode = undefined;
    this.#earlier = undefined;
    this.#bytes = 0;
  }

  get #last(): Item {
    return { octets: this.#octets, from: this.#from, to: this.#to, opcode: this.#opcode };
  }

  #add(octets: Uint8Array, from: number, to: number, opcode: number | undefined): void {
    if (!this.isEmpty) {
      this.#earlier ??= [];
      this.#earlier.push(this.#last);
    }
    this.#octets = octets;
    this.#from = from;
    this.#to = to;
    this.#opcode = opcode;
  }

  #piece(item: Item): Uint8Array {
    const { octets, from, to, opcode } = item;
    if (opcode !== undefined) return this.#copy([item], 0, 1, this.#lengthOf(item));
    return from === 0 && to === octets.length ? octets : octets.subarray(from, to);
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
    pieces.push(next === from + 1 ? this.#piece(items[from] as Item) : this.#copy(items, from, next, bytes));
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
