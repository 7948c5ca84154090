/** The comparison, drawn: a file for each cost. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Summary } from '../samples.ts';
import { type Bar, barChart } from './bar-chart.ts';
import { COSTS, type Row } from './rows.ts';

const OURS = 'holdfast';

/** @returns the files */
export function drawPlots(folder: string, summaries: ReadonlyMap<string, ReadonlyMap<string, Summary>>): string[] {
  mkdirSync(folder, { recursive: true });
  return COSTS.flatMap((row) => {
    const bars = barsOf(row, summaries.get(row.part));
    if (bars.length === 0) return [];
    const file = join(folder, `${row.plot}.svg`);
    writeFileSync(file, barChart(`${row.title} (${row.better} is better)`, bars));
    return [file];
  });
}

function barsOf({ figure }: Row, subjects: ReadonlyMap<string, Summary> = new Map()): Bar[] {
  return [...subjects].flatMap(([label, { figures }]) => {
    const spread = figures[figure];
    return spread === undefined ? [] : [{ label, spread, isOurs: label === OURS }];
  });
}
