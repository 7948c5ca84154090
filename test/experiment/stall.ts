/** How long this process could not run: figures of a run say nothing about Holdfast when its machine stood still. */
import { monitorEventLoopDelay } from 'node:perf_hooks';

const RESOLUTION_MS = 10;

/** Begins to watch; the result ends it and gives the longest stall in ms. */
export function watchStalls(): () => number {
  const delays = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delays.enable();
  return () => {
    delays.disable();
    return Math.max(0, delays.max / 1e6 - RESOLUTION_MS);
  };
}
