/**
 * When it is written what sockets say: at the end of the read in which it was said, as one write for each socket, or, said outside of
 * any read, at the end of the turn of the event loop. A tick of Node for each socket and message would cost a tenth of all that a message costs.
 */

type Flush = () => void;

let isReading = false;
/** One read mostly makes one socket say something: no list is kept for it. */
let first: Flush | undefined;
let others: Flush[] = [];

/** @param flush writes what its socket has said; asked for once until it is called */
export function flushSoon(flush: Flush): void {
  if (first !== undefined) return void others.push(flush);
  first = flush;
  if (!isReading) process.nextTick(flushAll);
}

/** From here on nobody need be woken: `endRead` follows in the same turn. */
export function beginRead(): void {
  isReading = true;
}

export function endRead(): void {
  isReading = false;
  if (first !== undefined) flushAll();
}

function flushAll(): void {
  const flush = first;
  first = undefined;
  if (others.length === 0) return flush?.();
  const flushes = others;
  others = [];
  flush?.();
  for (const each of flushes) each();
}
