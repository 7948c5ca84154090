/** Pods push as fast as their connections take it. */
import type { Comparison } from '../part.ts';
import { measure, settle, tellPods } from '../stage.ts';
import { loadOutcome } from './load-outcome.ts';

const FRAMES_PER_WRITE = 16;
/** Timing each message would cost the users more than reading it. */
const TIMED_EVERY = 16;

export const flood: Comparison = {
  name: 'flood',
  description: `pods push as fast as it goes, ${FRAMES_PER_WRITE} messages of 100 B in a write`,
  stage: 'shared',
  run: async (stage, { sizes }) => {
    await tellPods(stage, 'flood', { framesPerWrite: FRAMES_PER_WRITE });
    const measured = await measure(stage, sizes, TIMED_EVERY);
    return loadOutcome(measured, await settle(stage), { hops: 1 });
  },
};
