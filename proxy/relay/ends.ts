/**
 * Connections that end. A pod that dies ends thousands at once, which come to us as one batch, and what has to be done about all of them would
 * keep every other session waiting for a third of a second.
 *
 * A socket whose end waits here is not open any more, so nothing is given to it meanwhile.
 */
import { InTurns } from './in-turns.ts';

const ends = new InTurns<() => void>((work) => work());

/** @param work is done now or, where many connections end at once, in one of the next turns */
export function atEnd(work: () => void): void {
  ends.add(work);
}
