/**
 * When it is written what sockets say: at the end of the read in which it was said, as one write for each socket, or, said outside of
 * any read, at the end of the turn of the event loop. A tick of Node for each socket and message would cost a tenth of all that a message costs.
 */

export interface Flushed {
  /** Writes what was said. */
  flush(): void;
}

let isReading = false;
/** One read mostly makes one socket say something: no list is kept for it. */
let first: Flushed | undefined;
let others: Flushed[] = [];

/** @param socket is not to ask again until it has been flushed */
export function flushSoon(socket: Flushed): void {
  if (first !== undefined) return void others.push(socket);
  first = socket;
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
  const one = first;
  first = undefined;
  if (others.length === 0) return one?.flush();
  const more = others;
  others = [];
  one?.flush();
  for (const each of more) each.flush();
}
