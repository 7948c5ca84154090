/** Runs a share of seeds one after the other, up to the first that fails. */
import { planOf } from './plan.ts';
import type { Share, Tally } from './pool.ts';
import { simulate } from './simulate.ts';

/** How often progress is told. */
const TELL_EVERY = 100;

export async function runSeeds({ first, step, count }: Share, tell: (done: number) => void): Promise<Tally> {
  let [steps, virtualMs] = [0, 0];
  for (let i = 0; i < count; i++) {
    const seed = first + i * step;
    const outcome = await simulate(planOf(seed));
    steps += outcome.steps;
    virtualMs += outcome.virtualMs;
    const { violation } = outcome;
    if (violation !== undefined) {
      return { seeds: i + 1, steps, virtualMs, failed: { seed, rule: violation.rule, message: violation.message } };
    }
    if ((i + 1) % TELL_EVERY === 0) tell(i + 1);
  }
  return { seeds: count, steps, virtualMs, failed: undefined };
}
