/** Each run in one row. */
import { columnsText } from '../experiment/table.ts';
import type { Outcome, Percentiles } from './run.ts';
import type { ScenarioName } from './scenarios.ts';

export interface Row {
  readonly scenario: ScenarioName;
  readonly seed: number;
  readonly outcome: Outcome;
}

const whole = (value: number) => String(Math.round(value));
const three = ({ p50, p99, max }: Percentiles) => [p50, p99, max].map(whole).join('/');

/** What stands over a column, and what in it. */
const COLUMNS: readonly [string, (row: Row) => string][] = [
  ['scenario', ({ scenario }) => scenario],
  ['seed', ({ seed }) => `${seed} `],
  ['received', ({ outcome: { tally } }) => `${tally.received}/${tally.sent}`],
  ['closes', ({ outcome }) => whole(outcome.closes)],
  ['lost', ({ outcome: { tally } }) => whole(tally.lost)],
  ['untold', ({ outcome }) => whole(outcome.unannounced)],
  ['refused', ({ outcome: { tally } }) => whole(tally.refused)],
  ['twice', ({ outcome: { tally } }) => whole(tally.duplicated)],
  ['swapped', ({ outcome: { tally, late } }) => whole(tally.reordered - late)],
  ['gap ms', ({ outcome }) => three(outcome.gapMs)],
  ['delay ms', ({ outcome }) => three(outcome.delayMs)],
  ['stall ms', ({ outcome }) => whole(outcome.stallMs)],
  ['moves/user', ({ outcome }) => outcome.movesPerUser.toFixed(2)],
  ['home ms', ({ outcome }) => whole(outcome.homeMs)],
  ['took s', ({ outcome }) => (outcome.scenarioMs / 1000).toFixed(1)],
];

export const LEGEND = `gap: the longest silence of a user, its pace included; delay: the longest way of a message to a user; p50/p99/max over users
untold: lost, and the user was not told on /holdfast/session; refused: the producer was told that it is not delivered
stall: the longest time that the machine let producer or clients not run; gap and delay contain it
home: from the moment at which the API server has the last pods as ready until every session is at its owner`;

export function tableText(rows: readonly Row[]): string {
  return columnsText(
    COLUMNS.map(([title]) => title),
    rows.map((row) => COLUMNS.map(([, read]) => read(row))),
  );
}
