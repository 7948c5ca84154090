/** All runs of a scenario in one row. */
import type { Mode } from './backends/index.ts';
import type { Outcome } from './run.ts';

export interface Row {
  readonly scenario: string;
  readonly mode: Mode;
  readonly runs: number;
  /** Of each client, over all runs. */
  readonly minReceived: number;
  readonly maxReceived: number;
  readonly lost: number;
  readonly refused: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly clientCloses: number;
  readonly longestGapMs: number;
  readonly longestDelayMs: number;
  readonly longestStallMs: number;
  /** The mean over the runs. */
  readonly movesPerUser: number | null;
  readonly movedPerMessage: number;
  readonly brokerPerMessage: number | null;
  /** The longest of all runs. */
  readonly liveAgainMs: number | null;
  readonly announced: number;
}

export function rowOf(scenario: string, mode: Mode, outcomes: readonly Outcome[]): Row {
  const tallies = outcomes.map(({ tally }) => tally);
  const moves = outcomes.flatMap(({ movesPerUser }) => (movesPerUser === undefined ? [] : [movesPerUser]));
  const broker = outcomes.flatMap(({ brokerPerMessage: count }) => (count === undefined ? [] : [count]));
  const alive = outcomes.flatMap(({ liveAgainMs }) => (liveAgainMs === undefined ? [] : [liveAgainMs]));
  return {
    ...{ scenario, mode, runs: outcomes.length },
    minReceived: Math.min(...tallies.map(({ minPerUser }) => minPerUser)),
    maxReceived: Math.max(...tallies.map(({ maxPerUser }) => maxPerUser)),
    lost: sum(tallies.map(({ lost }) => lost)),
    refused: sum(tallies.map(({ refused }) => refused)),
    duplicated: sum(tallies.map(({ duplicated }) => duplicated)),
    reordered: sum(tallies.map(({ reordered }) => reordered)),
    clientCloses: sum(outcomes.map(({ closes }) => closes)),
    longestGapMs: Math.round(Math.max(...tallies.map(({ gapMs }) => gapMs))),
    longestDelayMs: Math.round(Math.max(...tallies.map(({ delayMs }) => delayMs))),
    longestStallMs: Math.round(Math.max(...outcomes.map(({ stallMs }) => stallMs))),
    movesPerUser: moves.length === 0 ? null : round(mean(moves)),
    movedPerMessage: round(mean(outcomes.map(({ movedPerMessage }) => movedPerMessage))),
    brokerPerMessage: broker.length === 0 ? null : round(mean(broker)),
    liveAgainMs: alive.length === 0 ? null : Math.round(Math.max(...alive)),
    announced: sum(outcomes.map(({ announced }) => announced)),
  };
}

/** What stands over a column, and what in it. */
const COLUMNS: readonly [string, (row: Row) => string | number | null][] = [
  ['scenario', ({ scenario }) => scenario],
  ['way', ({ mode }) => (mode === 'holdfast' ? 'Holdfast' : 'without')],
  ['runs', ({ runs }) => runs],
  ['min', ({ minReceived }) => minReceived],
  ['max', ({ maxReceived }) => maxReceived],
  ['lost', ({ lost }) => lost],
  ['refused', ({ refused }) => refused],
  ['twice', ({ duplicated }) => duplicated],
  ['swapped', ({ reordered }) => reordered],
  ['closes', ({ clientCloses }) => clientCloses],
  ['gap ms', ({ longestGapMs }) => longestGapMs],
  ['delay ms', ({ longestDelayMs }) => longestDelayMs],
  ['stall ms', ({ longestStallMs }) => longestStallMs],
  ['moves/user', ({ movesPerUser }) => movesPerUser?.toFixed(2) ?? null],
  ['moved/msg', ({ movedPerMessage }) => movedPerMessage.toFixed(2)],
  ['broker/msg', ({ brokerPerMessage }) => brokerPerMessage?.toFixed(2) ?? null],
  ['live again ms', ({ liveAgainMs }) => liveAgainMs],
];

export const LEGEND = `min, max: messages that a client received · lost: the producer was told delivered, refused: it was told otherwise
gap: the longest silence at a client, pace included · delay: the longest way from producer to client
stall: the longest time that the machine let producer or clients not run; gap and delay contain it
moved/msg: messages from server to server for each one received (requests to pods and repeats dropped); 1.00 is one hop
broker/msg: messages that a broker behind the pods took and gave out, for each one received
live again: from kill -9 or SIGTERM until the last client was told that its session goes on`;

export function tableText(rows: readonly Row[]): string {
  return columnsText(
    COLUMNS.map(([title]) => title),
    rows.map((row) => COLUMNS.map(([, read]) => String(read(row) ?? '–'))),
  );
}

/** Cells under their titles, each column as wide as it must be. */
export function columnsText(titles: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [titles, ...rows];
  const widths = titles.map((_, column) => Math.max(...cells.map((line) => line[column]?.length ?? 0)));
  const text = cells.map((line) => line.map((cell, column) => pad(cell, widths[column] ?? 0, column)).join('  '));
  text.splice(1, 0, widths.map((width) => '─'.repeat(width)).join('──'));
  return text.map((line) => line.trimEnd()).join('\n');
}

/** Words to the left, figures to the right. */
function pad(cell: string, width: number, column: number): string {
  return column < 2 ? cell.padEnd(width) : cell.padStart(width);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

function mean(values: readonly number[]): number {
  return sum(values) / Math.max(1, values.length);
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
