/** Whether a run of chaos kept the promise, in words of what it did not keep. */
import type { Outcome } from './run.ts';

/**
 * How much more memory the proxy may have at the end than when it was warm. V8 gives back late what a wave of moves took,
 * so that minutes cannot tell a small leak from that; hours can, by the slope.
 */
export const RSS_GROWTH_MAX_MB = 96;
/** From this time on the slope says something; before it, it is noise. */
export const SLOPE_FROM_MS = 30 * 60_000;
/** In MB an hour, for runs that are long enough. */
export const RSS_SLOPE_MAX = 32;

export function broken(outcome: Outcome, durationMs: number): string[] {
  const { tally, rss } = outcome;
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
  if (rss.endMB - rss.startMB > RSS_GROWTH_MAX_MB)
    problems.push(`RSS has grown from ${Math.round(rss.startMB)} to ${Math.round(rss.endMB)} MB`);
  if (durationMs >= SLOPE_FROM_MS && rss.slopeMBPerHour > RSS_SLOPE_MAX)
    problems.push(`RSS grows by ${Math.round(rss.slopeMBPerHour)} MB an hour`);
  return problems;
}
