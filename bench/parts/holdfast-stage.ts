/** Holdfast alone on a stage, with all that its own parts look at. */
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
