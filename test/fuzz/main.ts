/** The fuzzers at length: see --help. Short forms of all of them are tests. */
import { parseArgs } from 'node:util';
import { runCommand, wholeNumber } from '../support/command.ts';
import { fuzzConfiguration } from './configuration.ts';
import type { Report } from './report.ts';
import { fuzzSlices } from './slices.ts';
import { fuzzSlicesModel } from './slices-model.ts';
import { fuzzStomp } from './stomp.ts';
import { fuzzWebSocket } from './websocket.ts';

const MOST = 999_999_999;

const FLAGS = {
  frames: { type: 'string', default: '1000000' },
  sockets: { type: 'string', default: '20000' },
  sequences: { type: 'string', default: '100000' },
  configurations: { type: 'string', default: '20000' },
  seed: { type: 'string', default: '1' },
  help: { type: 'boolean', default: false },
} as const;

const HELP = `Usage: npm run fuzz -- [FLAG…]

Prints a table and a last line of JSON. Exits 1 when something broke; what broke is printed with its seed. 0 leaves a
target out.

  --frames N          STOMP frames, against the oracle; default 1000000
  --sockets N         raw sockets that break WebSocket or STOMP, at a real proxy; default 20000
  --sequences N       answers of an API server, and lives of pods against the model; default 100000
  --configurations N  files, variables and flags; default 20000
  --seed N            default 1
  --help              show this
`;

interface Sizes {
  readonly frames: number;
  readonly sockets: number;
  readonly sequences: number;
  readonly configurations: number;
  readonly seed: number;
}

async function main(sizes: Sizes): Promise<number> {
  const reports: Report[] = [];
  for (const fuzz of fuzzers(sizes)) {
    const report = await fuzz();
    for (const failure of report.failures) process.stdout.write(`BROKEN ${report.target}: ${failure}\n\n`);
    process.stdout.write(`${row(report)}\n`);
    reports.push(report);
  }
  const ok = reports.every(({ failures }) => failures.length === 0);
  const lines = reports.map(({ failures, ...report }) => ({ ...report, failures: failures.length }));
  process.stdout.write(`${JSON.stringify({ ok, seed: sizes.seed, reports: lines })}\n`);
  return ok ? 0 : 1;
}

function fuzzers({ frames, sockets, sequences, configurations, seed }: Sizes): (() => Promise<Report>)[] {
  return [
    ...(frames > 0 ? [() => fuzzStomp({ frames, seed })] : []),
    ...(configurations > 0 ? [() => fuzzConfiguration({ configurations, seed })] : []),
    ...(sequences > 0 ? [() => fuzzSlices({ sequences, seed }), () => fuzzSlicesModel({ sequences })] : []),
    ...(sockets > 0 ? [() => fuzzWebSocket({ sockets, seed })] : []),
  ];
}

function readSizes(argv: readonly string[]): Sizes | undefined {
  const { values } = parseArgs({ args: [...argv], options: FLAGS });
  const { help, ...texts } = values;
  if (help) return undefined;
  const sizes = Object.entries(texts).map(([flag, text]) => [flag, wholeNumber(flag, text, { least: 0, most: MOST })]);
  return Object.fromEntries(sizes) as Sizes;
}

function row({ target, cases, unit, seconds, failures, heapMB, more = {} }: Report): string {
  const heap = heapMB === undefined ? '' : `, heap ${heapMB.map((mb) => mb.toFixed(1)).join(' → ')} MB`;
  const figures = `${cases} ${unit} in ${seconds.toFixed(1)} s, ${failures.length} broken${heap}`;
  return `${target.padEnd(32)} ${figures}\n${' '.repeat(33)}${JSON.stringify(more)}`;
}

process.exitCode = await runCommand(
  { name: 'fuzz', help: HELP, readOptions: readSizes, run: main },
  process.argv.slice(2),
);
