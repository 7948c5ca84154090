/** The bounds of the simulated proxy: those of production, but shorter where waiting for them teaches nothing. */
import type { SessionOptions } from '../../proxy/session/index.ts';

/** What a broker gives to all its nodes. */
export const NEWS = '/topic/news';
/** The same, without ids. */
export const TICKER = '/topic/ticker';
/** A subscription that asks for one answer. */
export const STATE = '/app/state';

export const SESSION: Omit<SessionOptions, 'profileOf' | 'holdBytes'> = {
  settleMs: 200,
  connectMaxMs: 1_500,
  barrierMaxMs: 1_500,
  orderQuietMs: 40,
  /** Longer than a silent link is kept: a pod that hangs for less and speaks again finds its place in the order. */
  orderMaxMs: 2_500,
  drainMaxMs: 1_000,
  commitMaxMs: 4_000,
  closeMaxMs: 1_500,
  outageMaxMs: 20_000,
  subscriptionsMax: 100,
  dedupMaxAgeMs: 120_000,
  dedupWindow: 1_024,
  dedupHeader: 'holdfast-id',
  linkBeatMs: 2_000,
  clientBeatMs: 10_000,
};

export const ROUTING = {
  ring: { pointsPerPod: 4 },
  admitAfterMs: 150,
  perSecond: 100,
  inFlightPerPod: 2,
  commitMaxMs: 30_000,
  retryMaxMs: 1_000,
};
