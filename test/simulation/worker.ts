/** Runs seeds on a thread of its own: what a thread has loaded can be patched (planted.ts) without touching any other. */
import { parentPort, workerData } from 'node:worker_threads';
import { plant } from './plant.ts';
import type { Share, Tally } from './pool.ts';

const { faultName, share } = workerData as { faultName: string | undefined; share: Share };
const planted = faultName === undefined ? undefined : plant(faultName);
const { runSeeds } = await import('./run-seeds.ts');
const tally: Tally = await runSeeds(share, (done) => parentPort?.postMessage({ done }));
planted?.mustBeIn();
parentPort?.postMessage({ tally });
