/** What was measured, drawn: the comparison as a file for each cost, profiles as flame graphs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Sample, Summary } from '../samples.ts';
import { type Bar, barChart } from './bar-chart.ts';
import { flameGraph } from './flame-graph.ts';
import { COSTS, type Row } from './rows.ts';

const OURS = 'holdfast';

/** @returns the files */
export function drawPlots(
  folder: string,
  summaries: ReadonlyMap<string, ReadonlyMap<string, Summary>>,
  samples: readonly Sample[],
): string[] {
  mkdirSync(folder, { recursive: true });
  return [...drawBars(folder, summaries), ...drawFlames(folder, samples)];
}

function drawBars(folder: string, summaries: ReadonlyMap<string, ReadonlyMap<string, Summary>>): string[] {
  return COSTS.flatMap((row) => {
    const bars = barsOf(row, summaries.get(row.part));
    if (bars.length === 0) return [];
    const file = join(folder, `${row.plot}.svg`);
    writeFileSync(file, barChart(`${row.title} (${row.better} is better)`, bars));
    return [file];
  });
}

/** Of the last round. */
function drawFlames(folder: string, samples: readonly Sample[]): string[] {
  const last = new Map(
    samples.flatMap(({ subject, calls }) => (calls === undefined ? [] : [[subject, calls] as const])),
  );
  return Array.from(last, ([subject, calls]) => {
    const load = subject.replace(/, %$/, '');
    const file = join(folder, `flame-${load.replaceAll(/[^a-z]+.*/g, '')}.svg`);
    writeFileSync(file, flameGraph(`CPU time of Holdfast: ${load}`, calls));
    return file;
  });
}

function barsOf({ figure }: Row, subjects: ReadonlyMap<string, Summary> = new Map()): Bar[] {
  return [...subjects].flatMap(([label, { figures }]) => {
    const spread = figures[figure];
    return spread === undefined ? [] : [{ label, spread, isOurs: label === OURS }];
  });
}
