/** How long the turns of this event loop are, by what Node itself counts of it. */
import { performance } from 'node:perf_hooks';

const { nodeTiming } = performance;

export class Turns {
  #seen = look();

  /** The mean of the turns that have ended since the last call, in ms and without what they waited for something to do. */
  takeMs(): number {
    const before = this.#seen;
    const seen = look();
    if (seen.turns === before.turns) return 0;
    this.#seen = seen;
    return Math.max(0, seen.atMs - before.atMs - (seen.idleMs - before.idleMs)) / (seen.turns - before.turns);
  }
}

function look() {
  return { atMs: performance.now(), idleMs: nodeTiming.idleTime, turns: nodeTiming.uvMetricsInfo.loopCount };
}
