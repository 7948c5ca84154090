/**
 * At least 10,000 worlds with every run of the tests, the seeds that once failed, and a sample of the planted faults.
 * `SEEDS=100000 npx vitest run test/simulation` runs more; so does `npm run simulate`.
 */
import { readFileSync } from 'node:fs';
import { env } from 'node:process';
import { describe, expect, test } from 'vitest';
import { hunt } from './hunt.ts';
import { planOf } from './plan.ts';
import { replaceOnce } from './plant.ts';
import { PLANTED_FAULTS } from './planted-faults.ts';
import { runPool } from './pool.ts';
import { explain } from './replay.ts';
import { shrink } from './shrink.ts';
import { simulate } from './simulate.ts';

const SEEDS = Number(env['SEEDS'] ?? 10_000);
const BUDGET_MS = 300_000;

const kept = readFileSync(new URL('./seeds.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((line) => /^\d/.test(line))
  .map((line) => Number.parseInt(line, 10));

test(`${SEEDS} seeds keep every promise`, { timeout: BUDGET_MS }, async () => {
  const startMs = performance.now();
  const { seeds, steps, failed } = await runPool({ first: 1, count: SEEDS, threads: 2 });
  const seconds = (performance.now() - startMs) / 1000;
  console.info(`simulation: ${seeds} seeds, ${steps} steps in ${seconds.toFixed(1)} s`);
  if (failed !== undefined) throw new Error(await explain(failed.seed));
  expect(seeds).toBe(SEEDS);
});

test.each(kept)('seed %d, which once failed', async (seed) => {
  const { violation } = await simulate(planOf(seed));
  if (violation !== undefined) throw new Error(await explain(seed));
});

test('a seed is always the same world', async () => {
  const traces = [[], []] as string[][];
  for (const trace of traces) await simulate(planOf(7), (line) => trace.push(line));
  expect(traces[0]).toEqual(traces[1]);
  expect(traces[0]?.length).toBeGreaterThan(100);
});

describe('planted faults', () => {
  test('there are at least fifteen, and each still fits the sources', () => {
    expect(PLANTED_FAULTS.length).toBeGreaterThanOrEqual(15);
    for (const { name, file, find, replace } of PLANTED_FAULTS) {
      const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
      expect(replaceOnce(source, find, replace, `${file}: ${name}`)).not.toBe(source);
    }
  });

  test('a snippet that is gone is an error', () => {
    expect(() => replaceOnce('a b', 'c', 'd', 'x.ts: y')).toThrow('x.ts: y: its snippet stands there 0 times');
    expect(() => replaceOnce('a a', 'a', 'd', 'x.ts: y')).toThrow('2 times');
  });

  test.each([
    'skip the barrier',
    'drop the hold',
    'resend without dedup',
    'ignore link generation',
    'answer a receipt twice',
    'cut the old link at the barrier',
  ])('%s: found', { timeout: BUDGET_MS }, async (name) => {
    const { seeds, rule } = await hunt(name, 2_000);
    expect(seeds, rule).toBeDefined();
  });
});

test('a failing world is made small', async () => {
  const plan = planOf(1);
  const [fault] = [...plan.faults].sort((a, b) => b.ms - a.ms);
  const small = await shrink(plan, async ({ faults }) => faults.some((each) => each === fault));
  expect(small).toMatchObject({ faults: [fault], sayings: [], pods: 2, latencyMs: 1, fanout: false });
  expect(small.users).toMatchObject([{ sessions: 1, messagesAtMs: [] }]);
});
