/** The simulation by hand: see --help. */
import { parseArgs } from 'node:util';
import { runCommand, wholeNumber } from '../support/command.ts';
import { huntAll } from './hunt.ts';
import { planOf } from './plan.ts';
import { runPool } from './pool.ts';
import { explain, replay } from './replay.ts';

const HELP = `Usage: npm run simulate -- [FLAG…]

Runs sessions, pods and networks in virtual time, each seed another life. Exits 1 when a promise is broken; the seed is printed.

  --seeds N     so many seeds on all cores; default 10000
  --from N      the first one; default 1
  --seed N      this seed alone, with its trace, made small first when it fails
  --whole       … without making it small
  --planted     every planted fault, and how many seeds it takes to find it
  --max N       … that are tried for each; default 10000
  --help        show this
`;

const SEEDS = { least: 1, most: 2 ** 31 };

interface Options {
  readonly seeds: number;
  readonly from: number;
  readonly seed: number | undefined;
  readonly whole: boolean;
  readonly planted: boolean;
  readonly max: number;
}

function readOptions(argv: readonly string[]): Options | undefined {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      seeds: { type: 'string', default: '10000' },
      from: { type: 'string', default: '1' },
      seed: { type: 'string' },
      whole: { type: 'boolean', default: false },
      planted: { type: 'boolean', default: false },
      max: { type: 'string', default: '10000' },
      help: { type: 'boolean', default: false },
    },
  });
  if (values.help) return undefined;
  return {
    seeds: wholeNumber('seeds', values.seeds, SEEDS),
    from: wholeNumber('from', values.from, SEEDS),
    seed: values.seed === undefined ? undefined : wholeNumber('seed', values.seed, SEEDS),
    whole: values.whole,
    planted: values.planted,
    max: wholeNumber('max', values.max, SEEDS),
  };
}

async function main({ seeds, from, seed, whole, planted, max }: Options): Promise<number> {
  if (planted) return (await huntAll(max, say)) ? 0 : 1;
  if (seed !== undefined) return (await replay(planOf(seed), !whole, say)) ? 0 : 1;
  return (await run(from, seeds)) ? 0 : 1;
}

async function run(first: number, count: number): Promise<boolean> {
  const startMs = performance.now();
  const onProgress = (done: number) => {
    if (process.stdout.isTTY === true && process.env['CI'] === undefined)
      process.stdout.write(`\r${done} of ${count} seeds`);
  };
  const { seeds, steps, virtualMs, failed } = await runPool({ first, count, onProgress });
  const seconds = (performance.now() - startMs) / 1000;
  const hours = (virtualMs / 3_600_000).toFixed(1);
  say(
    `\r${seeds} seeds, ${steps} steps, ${hours} hours of virtual time in ${seconds.toFixed(1)} s (${(seeds / seconds).toFixed(0)} seeds/s)`,
  );
  if (failed === undefined) return true;
  say(await explain(failed.seed));
  return false;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}

process.exit(await runCommand({ name: 'simulate', help: HELP, readOptions, run: main }, process.argv.slice(2)));
