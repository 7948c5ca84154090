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

/** The resolution at which Node looks is part of what it tells. */
const RESOLUTION_MS = 10;
const MS_PER_S = 1000;

/** How late the event loop was since the last call, 99th percentile in ms. */
export async function loopDelayMs({ proxy }: Stage<RunningHoldfast>): Promise<number> {
  const seconds = (await proxy.metrics()).get('nodejs_eventloop_lag_p99_seconds') ?? 0;
  return Math.max(0, seconds * MS_PER_S - RESOLUTION_MS);
}
