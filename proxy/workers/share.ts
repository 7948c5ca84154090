/** What one of several workers gets of the limits that the configuration sets for all of them together. */
import type { Config } from '../config/index.ts';

/** As even as whole numbers are, and their sum is the total; but each worker has one at least. */
export function shareOf(total: number, index: number, count: number): number {
  return Math.max(1, Math.floor(total / count) + (index < total % count ? 1 : 0));
}

/** `limits.sessions-per-user` stays whole, since all sessions of a user are in one worker. */
export function configOf(config: Config, index: number): Config {
  const { handover, hold, limits, workers } = config;
  const share = (total: number) => shareOf(total, index, workers);
  return {
    ...config,
    handover: {
      ...handover,
      perSecond: share(handover.perSecond),
      inFlightPerPod: share(handover.inFlightPerPod),
    },
    hold: { ...hold, totalBytes: share(hold.totalBytes) },
    limits: { ...limits, sessions: share(limits.sessions) },
  };
}
