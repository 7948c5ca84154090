/** Whether a run kept what DESIGN promises, in words of what it did not keep. */
import type { Outcome } from './run.ts';

/** All sessions go on within this time after the death of a pod, on a machine that is not busy with other things. */
export const LIVE_AGAIN_MAX_MS = 2_000;

/**
 * @param crash a pod was killed: what it held may be lost, if every loser is told of a gap
 * @param proves the backend answers receipts, so that a planned move can be proven to have lost nothing
 */
export function broken(outcome: Outcome, crash: boolean, proves = true): string[] {
  const { tally, closes, errors, unannounced, unprovenHandovers, liveAgainMs } = outcome;
  const none: [string, number][] = [
    ['client closes', closes],
    ['ERROR frames', errors],
    ['duplicated', tally.duplicated],
    ['reordered', tally.reordered],
    ['arrived without being sent', tally.unknown],
    ['refused', tally.refused],
    ['users with losses and no notice', unannounced.length],
    ...(crash
      ? []
      : ([
          ['lost', tally.lost],
          ['planned moves without proof', proves ? unprovenHandovers : 0],
        ] as [string, number][])),
  ];
  const problems = none.filter(([, count]) => count > 0).map(([what, count]) => `${count} ${what}`);
  if (crash && liveAgainMs === undefined) problems.push('no session had to recover: the dead pod had none');
  return problems;
}

/** What took too long, in the same words; not for tests, which run where others keep the cores busy. */
export function late({ liveAgainMs = 0 }: Outcome): string[] {
  return liveAgainMs > LIVE_AGAIN_MAX_MS ? [`sessions live again after ${Math.round(liveAgainMs)} ms`] : [];
}
