/** bench/results/NAME.json */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Results, summarise } from '../samples.ts';

const FOLDER = fileURLToPath(new URL('../results/', import.meta.url));

/** With the medians, for readers that do not count themselves. @returns the file */
export function writeResults(results: Results): string {
  mkdirSync(FOLDER, { recursive: true });
  const file = `${FOLDER}${results.name}.json`;
  const summary = Object.fromEntries(
    Array.from(summarise(results.samples), ([part, subjects]) => [part, Object.fromEntries(subjects)]),
  );
  writeFileSync(file, `${JSON.stringify({ ...results, summary }, rounded, 1)}\n`);
  return file;
}

export function readResults(name: string): Results {
  return JSON.parse(readFileSync(`${FOLDER}${name}.json`, 'utf8')) as Results;
}

/** Five digits tell more than is known. */
function rounded(_key: string, value: unknown): unknown {
  return typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(5)) : value;
}
