/**
 * The simulation by hand:
 *
 *     npm run simulate -- --seeds 1000000          so many seeds on all cores; `--from N` begins at N
 *     npm run simulate -- --seed 4711              one seed with its trace, made small first when it fails
 *     npm run simulate -- --planted                every planted fault, and how many seeds it takes to find it
 */
import { env, exit, stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { huntAll } from './hunt.ts';
import { planOf } from './plan.ts';
import { runPool } from './pool.ts';
import { explain, replay } from './replay.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10000' },
    from: { type: 'string', default: '1' },
    seed: { type: 'string' },
    whole: { type: 'boolean', default: false },
    planted: { type: 'boolean', default: false },
    max: { type: 'string', default: '10000' },
  },
});

if (values.planted) exit((await huntAll(Number(values.max), say)) ? 0 : 1);
else if (values.seed !== undefined) exit((await replay(planOf(Number(values.seed)), !values.whole, say)) ? 0 : 1);
else exit((await run(Number(values.from), Number(values.seeds))) ? 0 : 1);

async function run(first: number, count: number): Promise<boolean> {
  const startMs = performance.now();
  const onProgress = (done: number) => {
    if (stdout.isTTY === true && env['CI'] === undefined) stdout.write(`\r${done} of ${count} seeds`);
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
  stdout.write(`${line}\n`);
}
