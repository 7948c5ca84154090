/** Each user sends a message and, when it has come back, the next: as fast as all of them can. */
import type { Comparison } from '../part.ts';
import { measure, settle } from '../stage.ts';
import { loadOutcome } from './load-outcome.ts';

/** To the pod and back. */
const HOPS = 2;

export const echo: Comparison = {
  name: 'echo',
  description: 'users send 100 B, pods send it back, the next follows: each way counts as a message',
  stage: 'shared',
  run: async (stage, { sizes }) => {
    await stage.clients.ask('echo', { perSecond: null });
    const measured = await measure(stage, sizes);
    return loadOutcome(measured, await settle(stage), { hops: HOPS });
  },
};
