/** A rollout and other things that happen in a real cluster: see --help. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../support/command.ts';
import { Cluster } from './cluster.ts';
import { HELP, type Options, readOptions } from './options.ts';
import { type Outcome, run } from './run.ts';
import { type Scenario, type ScenarioName, scenarios } from './scenarios.ts';
import { LEGEND, type Row, tableText } from './table.ts';
import { broken } from './verdict.ts';

/** Faults of one run that are printed; the counts tell the rest. */
const SHOWN_MAX = 10;

interface Problem {
  readonly scenario: ScenarioName;
  readonly seed: number;
  readonly what: readonly string[];
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(options: Options): Promise<number> {
  if (options.logs !== undefined) mkdirSync(options.logs, { recursive: true });
  const cluster = await Cluster.start();
  try {
    const { rows, problems } = await all(cluster, options);
    say(`\n${tableText(rows)}\n\n${LEGEND}\n`);
    const { clients, rate } = options;
    const runs = rows.map(({ scenario, seed, outcome: { findings: _, ...figures } }) => ({
      scenario,
      seed,
      ...figures,
    }));
    say(JSON.stringify({ ok: problems.length === 0, clients, rate, runs, problems }));
    return problems.length === 0 ? 0 : 1;
  } finally {
    await cluster.stop();
  }
}

async function all(cluster: Cluster, options: Options): Promise<{ rows: Row[]; problems: Problem[] }> {
  const rows: Row[] = [];
  const problems: Problem[] = [];
  for (const scenario of options.scenarios) {
    for (let seed = options.seed; seed < options.seed + options.runs; seed++) {
      say(`${scenario}, seed ${seed}: ${scenarios[scenario].help}`);
      const outcome = await once(cluster, options, scenario, seed);
      rows.push({ scenario, seed, outcome });
      say(tableText(rows).split('\n').at(-1) ?? '');
      const what = broken(outcome, scenarios[scenario]);
      if (what.length === 0) continue;
      problems.push({ scenario, seed, what });
      tellFaults(outcome, what);
    }
  }
  return { rows, problems };
}

function once(cluster: Cluster, options: Options, scenario: ScenarioName, seed: number): Promise<Outcome> {
  const { clients, rate, awayMs, logs } = options;
  const logFile = logs === undefined ? undefined : join(logs, `${scenario}-${seed}.jsonl`);
  const what: Scenario = scenarios[scenario];
  return run(cluster, { scenario: what, seed, clients, rate, awayMs, logFile });
}

function tellFaults({ findings }: Outcome, what: readonly string[]): void {
  say(`  NOT KEPT: ${what.join(', ')}`);
  for (const { kind, user, destination, n, atMs } of findings.slice(0, SHOWN_MAX)) {
    say(`  ${kind}: ${user} ${destination} ${n} at ${new Date(atMs).toISOString()}`);
  }
}

process.exitCode = await runCommand({ name: 'cluster', help: HELP, readOptions, run: main }, process.argv.slice(2));
