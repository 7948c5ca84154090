/**
 * Drains stand still while the client is full: an old link that is not read cannot show that it is empty, and cutting it then
 * would lose what the pod still has for a client that is only slow. How long a client may be full is bounded by the relay.
 */
import type { Core } from './core.ts';
import type { Link } from './link.ts';

export function stopDrains(core: Core, now: number): void {
  core.fullSinceMs ??= now;
}

/** Deadlines move by the time that the links were not read. */
export function resumeDrains(core: Core, now: number): void {
  if (core.fullSinceMs === undefined) return;
  const stoodMs = now - core.fullSinceMs;
  core.fullSinceMs = undefined;
  core.stoodMs += stoodMs;
  for (const link of core.olds()) {
    const { state } = link;
    if (state.name === 'live') link.to({ ...state, drainUntilMs: state.drainUntilMs + stoodMs });
    else if (state.name === 'closing') link.to({ ...state, untilMs: state.untilMs + stoodMs });
  }
}

/** Is this a link whose deadlines do not count now? */
export function standsStill(core: Core, link: Link): boolean {
  if (core.fullSinceMs === undefined || link === core.primary || link === core.next) return false;
  return link.state.name === 'live' || link.state.name === 'closing';
}
