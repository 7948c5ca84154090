/** The experiment: see --help. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../support/command.ts';
import type { Mode } from './backends/index.ts';
import { HELP, type Options, readOptions } from './options.ts';
import { createProgress, type Progress } from './progress.ts';
import { type Outcome, run } from './run.ts';
import { type ScenarioName, scenarios } from './scenarios.ts';
import { LEGEND, type Row, rowOf, tableText } from './table.ts';
import { broken, late } from './verdict.ts';

/** Faults of one run that are printed; the counts tell the rest. */
const SHOWN_MAX = 10;

interface Problem {
  readonly scenario: ScenarioName;
  readonly seed: number;
  readonly what: readonly string[];
}

async function main(options: Options): Promise<number> {
  if (options.logs !== undefined) mkdirSync(options.logs, { recursive: true });
  let title = '';
  const progress = createProgress(process.stdout, () => title);
  const rows: Row[] = [];
  const problems: Problem[] = [];
  for (const scenario of options.scenarios) {
    for (const mode of options.modes) {
      const outcomes: Outcome[] = [];
      for (let seed = options.seed; seed < options.seed + options.runs; seed++) {
        title = `${scenario}, ${nameOf(mode)}, seed ${seed}`;
        const outcome = await once(options, { scenario, mode, seed }, progress);
        const crash = scenario === 'kill' || scenario === 'unwarned';
        const what = mode === 'holdfast' ? [...broken(outcome, crash, outcome.proves), ...late(outcome)] : [];
        if (what.length > 0) problems.push({ scenario, seed, what });
        progress.line(`${title}: ${summary(outcome)}`);
        if (what.length > 0) tellFaults(progress, outcome, what);
        outcomes.push(outcome);
      }
      rows.push(rowOf(scenario, mode, outcomes));
    }
  }
  process.stdout.write(`\n${tableText(rows)}\n\n${LEGEND}\n\n`);
  const { backend, clients, messages, pods, seed } = options;
  process.stdout.write(
    `${JSON.stringify({ ok: problems.length === 0, backend, clients, messages, pods, seed, rows, problems })}\n`,
  );
  return problems.length === 0 ? 0 : 1;
}

function once(
  options: Options,
  { scenario, mode, seed }: { scenario: ScenarioName; mode: Mode; seed: number },
  progress: Progress,
): Promise<Outcome> {
  return run({
    ...options,
    ...{ mode, seed, scenario: scenarios[scenario] },
    logFile: options.logs === undefined ? undefined : join(options.logs, `${scenario}-${seed}.jsonl`),
    onProgress: progress.at,
  });
}

function summary({ tally, closes, stallMs, movesPerUser, liveAgainMs, announced }: Outcome): string {
  const { received, sent, lost, refused, duplicated, reordered, delayMs, slowest } = tally;
  const faults = `${lost} lost, ${refused} refused, ${duplicated} twice, ${reordered} swapped, ${closes} closes`;
  const moves = movesPerUser === undefined ? '' : `, ${movesPerUser.toFixed(2)} moves/user`;
  const whose = slowest === undefined ? '' : ` (${slowest.user} ${new Date(slowest.atMs).toISOString().slice(11)})`;
  const alive = liveAgainMs === undefined ? '' : `, ${announced} live again in ${Math.round(liveAgainMs)} ms`;
  return `${received}/${sent} received, ${faults}, longest delay ${Math.round(delayMs)} ms${whose}, stall ${Math.round(stallMs)} ms${moves}${alive}`;
}

function tellFaults(progress: Progress, { findings }: Outcome, what: readonly string[]): void {
  progress.line(`  NOT KEPT: ${what.join(', ')}`);
  for (const { kind, user, destination, n, atMs } of findings.slice(0, SHOWN_MAX)) {
    progress.line(`  ${kind}: ${user} ${destination} ${n} at ${new Date(atMs).toISOString()}`);
  }
}

function nameOf(mode: Mode): string {
  return mode === 'holdfast' ? 'with Holdfast' : 'without';
}

process.exitCode = await runCommand({ name: 'experiment', help: HELP, readOptions, run: main }, process.argv.slice(2));
