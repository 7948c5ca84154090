/** Holdfast alone on a stage, with all that its own parts look at. */
import { sleep } from '../../test/experiment/clock.ts';
import type { Sizes } from '../part.ts';
import { type HoldfastOptions, holdfastWith, type RunningHoldfast } from '../proxies/holdfast.ts';
import { openStage, type Stage } from '../stage.ts';

/** A stage that is closed whatever happens on it. */
export async function onStage<T>(
  options: HoldfastOptions,
  core: string | undefined,
  work: (stage: Stage<RunningHoldfast>) => Promise<T>,
): Promise<T> {
  const stage = await openStage(holdfastWith(options), core);
  try {
    return await work(stage);
  } finally {
    await stage.close();
  }
}

/** What is measured from here on has nothing in it of what came before; the event loop tells of a long turn only when it is over. */
export async function atRest({ proxy }: Stage<RunningHoldfast>, { restMs }: Sizes): Promise<void> {
  await sleep(restMs);
  await proxy.loopDelayMs();
}
