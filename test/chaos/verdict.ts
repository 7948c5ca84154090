/** Whether a run of chaos kept the promise, in words of what it did not keep. */
import { type Rest, slopePerHour, warm } from './rest.ts';
import type { Outcome } from './run.ts';

/** What may be added from the middle of a run to its end, at rest and without garbage: code that is compiled late, a window that fills. */
export const HEAP_GROWTH_MAX_MB = 8;
/** The same of RSS, in which pages that are only partly used count whole. */
export const RSS_GROWTH_MAX_MB = 48;
/** From this time on slopes say something; before it, they are noise. */
export const SLOPE_FROM_MS = 30 * 60_000;
/** In an hour, over the second half of a run that is long enough. */
export const HEAP_SLOPE_MAX_MB = 8;
export const RSS_SLOPE_MAX_MB = 32;
export const DESCRIPTORS_SLOPE_MAX = 16;

export function broken(outcome: Outcome, durationMs: number): string[] {
  const { tally } = outcome;
  const none: [string, number][] = [
    ['client closes', outcome.closes],
    ...Object.entries(outcome.errors).map(([message, count]): [string, number] => [`ERROR frames: ${message}`, count]),
    ['lost without a word on /holdfast/session', outcome.unannounced.length],
    ['duplicated', tally.duplicated],
    ['reordered', tally.reordered - outcome.late],
    ['arrived without being sent', tally.unknown],
    ['users whose session does not live', outcome.dead],
  ];
  const problems = none.filter(([, count]) => count > 0).map(([what, count]) => `${count} ${what}`);
  problems.push(...outcome.unsettled);
  problems.push(...grown(outcome.rests));
  if (durationMs >= SLOPE_FROM_MS) problems.push(...steep(outcome.rests));
  return problems;
}

/** One round fills caches, and says nothing. */
function grown(rests: readonly Rest[]): string[] {
  const [first, ...rest] = warm(rests);
  const last = rest.at(-1);
  if (rests.length < 3 || first === undefined || last === undefined) return [];
  const told = (what: string, from: number, to: number, most: number) =>
    to - from > most ? [`${what} at rest has grown from ${Math.round(from)} to ${Math.round(to)} MB`] : [];
  return [
    ...told('the heap', first.heapMB, last.heapMB, HEAP_GROWTH_MAX_MB),
    ...told('RSS', first.rssMB, last.rssMB, RSS_GROWTH_MAX_MB),
  ];
}

function steep(rests: readonly Rest[]): string[] {
  const slopes: [string, (rest: Rest) => number, number][] = [
    ['MB of heap', ({ heapMB }) => heapMB, HEAP_SLOPE_MAX_MB],
    ['MB of RSS', ({ rssMB }) => rssMB, RSS_SLOPE_MAX_MB],
    ['descriptors', ({ descriptors }) => descriptors, DESCRIPTORS_SLOPE_MAX],
  ];
  return slopes.flatMap(([what, value, most]) => {
    const slope = slopePerHour(warm(rests), value);
    return slope > most ? [`${Math.round(slope)} ${what} more an hour`] : [];
  });
}
