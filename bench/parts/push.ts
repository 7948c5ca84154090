/** Pods push to users at a rate. */
import type { Comparison } from '../part.ts';
import { measure, settle, tellPods } from '../stage.ts';
import { loadOutcome } from './load-outcome.ts';

export const push5000 = push(5_000);
export const push20000 = push(20_000);

function push(rate: number): Comparison {
  return {
    name: `push-${rate}`,
    description: `pods push ${rate} messages of 100 B a second to the users, one a write`,
    stage: 'shared',
    run: async (stage, { sizes }) => {
      await tellPods(stage, 'push', { perUserPerSecond: rate / sizes.users, framesPerWrite: 1 });
      const measured = await measure(stage, sizes);
      return loadOutcome(measured, await settle(stage), { hops: 1, rate });
    },
  };
}
