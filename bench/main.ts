/** The bench: see --help. */
import { availableParallelism } from 'node:os';
import { runCommand } from '../test/support/command.ts';
import { commit, load, machineWith } from './machine.ts';
import { HELP, type Options, readOptions } from './options.ts';
import { comparisons, solos } from './parts/index.ts';
import { proxies } from './proxies/index.ts';
import { drawPlots } from './report/plots.ts';
import { readResults, writeResults } from './report/results-file.ts';
import { tablesOf } from './report/tables.ts';
import { runRounds } from './rounds.ts';
import { type Results, type Sample, summarise } from './samples.ts';
import { pin } from './usage.ts';

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

async function main(options: Options): Promise<number> {
  const results = options.read ? readResults(options.name) : await run(options);
  if (!options.read) say(`\nwritten to ${writeResults(results)}`);
  const summaries = summarise(results.samples);
  say(`\n${headOf(results)}\n\n${tablesOf(summaries)}`);
  if (options.plots !== undefined)
    for (const file of drawPlots(options.plots, summaries, results.samples)) say(`drawn ${file}`);
  return [...summaries.values()].some((part) => [...part.values()].some(({ refused }) => refused)) ? 1 : 0;
}

async function run({ name, parts, proxies: wanted, rounds, sizes, patienceMs }: Options): Promise<Results> {
  const chosen = proxies.filter((proxy) => wanted.includes(proxy.name));
  const machine = machineWith(chosen);
  const installed = chosen.filter((proxy) => machine.versions[proxy.name] !== 'not installed');
  const head = { name, date: new Date().toISOString(), commit: commit(), machine, load: load(), rounds, sizes };
  say(headOf({ ...head, samples: [] }));
  const samples = await runRounds({
    ...{ rounds, patienceMs, proxies: installed },
    comparisons: comparisons.filter((part) => parts.includes(part.name)),
    solos: solos.filter((part) => parts.includes(part.name)),
    context: { sizes, proxyCore: shareCores() },
    onSample: (sample) => say(lineOf(sample)),
  });
  return { ...head, samples };
}

/** The first core is the proxy's; this process and the load generators that it starts have the others. */
function shareCores(): string | undefined {
  const cores = availableParallelism();
  if (cores < 2) return undefined;
  pin(process.pid, `1-${cores - 1}`);
  return '0';
}

function headOf({ machine, load: loadBefore, date, commit: of, rounds }: Results): string {
  const versions = Object.entries(machine.versions).map(([proxy, version]) => `${proxy} ${version}`);
  return (
    `${date}, commit ${of}, ${rounds} rounds, ${machine.cpu}, ${machine.cores} cores, ${machine.kernel}, Node ${machine.node}, ` +
    `load ${loadBefore.toFixed(1)}\n${versions.join(', ')}`
  );
}

function lineOf({ part, subject, round, figures, failed, load: loadBefore, notes = [] }: Sample): string {
  const all = Object.entries(figures).map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`);
  return `${round} ${part} ${subject} (load ${loadBefore.toFixed(1)}): ${[...all, ...notes, ...(failed ? [`FAILED: ${failed}`] : [])].join(', ')}`;
}

/** Ends by `exit`, at which what was started is ended, too. */
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));
process.exitCode = await runCommand({ name: 'bench', help: HELP, readOptions, run: main }, process.argv.slice(2));
