/**
 * Connections that end: some of them in a turn of the event loop. A pod that dies ends thousands at once, which come to us as one batch, and
 * what has to be done about all of them would keep every other session waiting for a third of a second.
 *
 * A socket whose end waits here is not open any more, so nothing is given to it meanwhile.
 */

/** About two milliseconds. */
export const ENDS_PER_TURN = 64;

type Work = () => void;

let left = ENDS_PER_TURN;
let isCounting = false;
/** At most two for each connection. */
let waiting: Work[] = [];

/** @param work is done now, or, behind others, in one of the next turns */
export function atEnd(work: Work): void {
  if (!isCounting) {
    isCounting = true;
    setImmediate(nextTurn);
  }
  if (left === 0) {
    waiting.push(work);
    return;
  }
  left -= 1;
  work();
}

function nextTurn(): void {
  const due = waiting.slice(0, ENDS_PER_TURN);
  waiting = waiting.slice(ENDS_PER_TURN);
  left = ENDS_PER_TURN - due.length;
  isCounting = due.length > 0;
  if (isCounting) setImmediate(nextTurn);
  for (const work of due) work();
}
