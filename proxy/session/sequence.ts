/**
 * Audits the sequence numbers of produced messages, always, in production too: the promise is counted, not assumed.
 *
 * `holdfast-seq: <stream>:<n>` counts from 1 without holes per stream, user and destination; they are audited per
 * subscription. The first number seen is the
 * baseline: a client that subscribes in the middle of a stream has lost nothing. A number that is skipped is `missing`; if
 * it comes later it was reordered, if it has not come after LOST_AFTER_MS it was lost.
 *
 * The same numbers prove at a handover that nothing is missing between the old link and the new one (ordering.ts).
 */
import { SparseMap } from './sparse.ts';

/** Streams remembered per session. A user has one per destination and producer; past that the oldest is forgotten. */
export const STREAMS_MAX = 256;
/** Missing numbers remembered per stream; past that the oldest count as lost. */
export const MISSING_MAX = 64;
/** Longer than any handover, drain or producer retry takes: what has not come by then will not come. */
export const LOST_AFTER_MS = 30_000;

export interface SequenceNumber {
  readonly key: string;
  readonly n: number;
}

export type Verdict = { readonly lost: number; readonly reordered: number; readonly duplicated: number };

interface Stream {
  highest: number;
  /** The first number seen; anything below came before the subscription. */
  readonly baseline: number;
  /** Skipped numbers with the time they were first missed, oldest first. */
  readonly missing: SparseMap<number, number>;
}

/**
 * Reads a `holdfast-seq` header; undefined when it is malformed (then the message simply is not audited).
 * @param subscription a client may subscribe to one destination twice, and then gets each message twice
 */
export function parseSequence(
  subscription: string | undefined,
  destination: string,
  header: string,
): SequenceNumber | undefined {
  const colon = header.lastIndexOf(':');
  const n = Number(header.slice(colon + 1));
  if (!Number.isSafeInteger(n) || n < 1) return undefined;
  return { key: `${prefixOf(subscription, destination)}${destination}\n${header.slice(0, Math.max(colon, 0))}`, n };
}

export class Sequences {
  readonly #streams = new SparseMap<string, Stream>();

  /** Would this number come exactly next, so that nothing can be missing before it? `unknown`: its stream is new here. */
  expects({ key, n }: SequenceNumber): 'next' | 'hole' | 'passed' | 'unknown' {
    const stream = this.#streams.get(key);
    if (stream === undefined) return n === 1 ? 'next' : 'unknown';
    if (n <= stream.highest) return 'passed';
    return n === stream.highest + 1 ? 'next' : 'hole';
  }

  /** Notes a number that is delivered now. */
  note({ key, n }: SequenceNumber, now: number): Verdict {
    const stream = this.#streams.get(key);
    if (stream === undefined) {
      this.#remember(key, n);
      return NOTHING_WRONG;
    }
    if (n === stream.highest + 1 && stream.missing.size === 0) {
      stream.highest = n;
      return NOTHING_WRONG;
    }
    const lost = forgetLost(stream, now);
    if (n > stream.highest) return { ...NOTHING_WRONG, lost: lost + this.#advance(stream, n, now) };
    if (stream.missing.delete(n) || n < stream.baseline) return { ...NOTHING_WRONG, lost, reordered: 1 };
    return { ...NOTHING_WRONG, lost, duplicated: 1 };
  }

  /** Forgets a subscription: what comes while the client is not subscribed is not missing. */
  forget(subscription: string | undefined, destination: string): void {
    const prefix = prefixOf(subscription, destination);
    for (const key of this.#streams.keys()) if (key.startsWith(prefix)) this.#streams.delete(key);
  }

  /** What is still missing counts as lost when the session ends. */
  missing(): number {
    let count = 0;
    for (const stream of this.#streams.values()) count += stream.missing.size;
    return count;
  }

  #remember(key: string, n: number): void {
    this.#streams.set(key, { highest: n, baseline: n, missing: new SparseMap() });
    if (this.#streams.size > STREAMS_MAX) {
      for (const oldest of this.#streams.keys()) {
        this.#streams.delete(oldest);
        break;
      }
    }
  }

  /** Moves the stream to `n`; returns how many skipped numbers had to be given up at once, for want of room. */
  #advance(stream: Stream, n: number, now: number): number {
    const firstKept = Math.max(stream.highest + 1, n - MISSING_MAX);
    let lost = firstKept - (stream.highest + 1);
    for (let skipped = firstKept; skipped < n; skipped++) stream.missing.set(skipped, now);
    stream.highest = n;
    for (const oldest of stream.missing.keys()) {
      if (stream.missing.size <= MISSING_MAX) break;
      stream.missing.delete(oldest);
      lost++;
    }
    return lost;
  }
}

/** In STOMP 1.0 a subscription may have no id; then its destination names it. */
function prefixOf(subscription: string | undefined, destination: string): string {
  return subscription === undefined ? `destination:${destination}\n` : `id:${subscription}\n`;
}

/** The same object each time that a number came as it should. */
export const NOTHING_WRONG: Verdict = { lost: 0, reordered: 0, duplicated: 0 };

function forgetLost(stream: Stream, now: number): number {
  let lost = 0;
  for (const [n, since] of stream.missing) {
    if (now - since < LOST_AFTER_MS) break;
    stream.missing.delete(n);
    lost++;
  }
  return lost;
}
