/**
 * Pods push many messages in a write: what a proxy makes of a read that holds more than one.
 *
 * At a rate that the users can read: as fast as it goes, hundreds of MB wait in the system's buffers, and what is past its memory for TCP
 * comes again after up to half a minute.
 */
import type { Comparison } from '../part.ts';
import { measure, settle, tellPods } from '../stage.ts';
import { loadOutcome } from './load-outcome.ts';

export const FLOOD_RATE = 200_000;
export const FLOOD_FRAMES_PER_WRITE = 16;
/** Timing each message would cost the users more than reading it. */
const TIMED_EVERY = 16;

export const flood: Comparison = {
  name: 'flood',
  description: `pods push ${FLOOD_RATE} messages of 100 B a second, ${FLOOD_FRAMES_PER_WRITE} in a write`,
  stage: 'shared',
  run: async (stage, { sizes }) => {
    const load = { perUserPerSecond: FLOOD_RATE / sizes.users, framesPerWrite: FLOOD_FRAMES_PER_WRITE };
    await tellPods(stage, 'push', load);
    const measured = await measure(stage, sizes, TIMED_EVERY);
    return loadOutcome(measured, await settle(stage), { hops: 1, rate: FLOOD_RATE });
  },
};
