/** Whether a run kept what Holdfast promises, in words of what it did not keep. */
import type { Outcome } from './run.ts';
import type { Scenario } from './scenarios.ts';

export function broken(outcome: Outcome, { crash = false, refuses = false }: Scenario): string[] {
  const { tally } = outcome;
  const none: [string, number][] = [
    ['client closes', outcome.closes],
    ...Object.entries(outcome.errors).map(([message, count]): [string, number] => [`ERROR frames: ${message}`, count]),
    crash ? ['lost without a word on /holdfast/session', outcome.unannounced] : ['lost', tally.lost],
    ['duplicated', tally.duplicated],
    ['reordered', tally.reordered - outcome.late],
    ['arrived without being sent', tally.unknown],
    ...(refuses ? [] : [['refused', tally.refused] as [string, number]]),
  ];
  return none.filter(([, count]) => count > 0).map(([what, count]) => `${count} ${what}`);
}
