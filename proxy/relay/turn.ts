/**
 * When it is written what sockets say: at the end of the read in which it was said, as one write for each socket, or, said outside of
 * any read, at the end of the turn of the event loop. A tick of Node for each socket and message would cost a tenth of all that a message costs.
 */

let isReading = false;
let due: (() => void)[] = [];

/** @param flush writes what its socket has said; asked for once until it is called */
export function flushSoon(flush: () => void): void {
  due.push(flush);
  if (due.length === 1 && !isReading) process.nextTick(flushAll);
}

/** From here on nobody need be woken: `endRead` follows in the same turn. */
export function beginRead(): void {
  isReading = true;
}

export function endRead(): void {
  isReading = false;
  if (due.length > 0) flushAll();
}

function flushAll(): void {
  const flushes = due;
  due = [];
  for (const flush of flushes) flush();
}
