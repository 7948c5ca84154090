/** What routing is told at its start, and what it tells of its work. */
import type { RingOptions } from '../../ring/index.ts';

export interface RoutingOptions {
  readonly ring: RingOptions;
  readonly admitAfterMs: number;
  /** Handovers in all. Sessions without a link are not paced: the window of each pod bounds them. */
  readonly perSecond: number;
  /** Links on their way to CONNECTED, at most, for each pod. */
  readonly inFlightPerPod: number;
  /** How long sessions that cannot move hold up the commit of a ring. */
  readonly commitMaxMs: number;
  /** The ring is committed together with other processes: when `permitCommit` says so. Default false. */
  readonly commitsTogether?: boolean;
  /** Longest wait between two tries of one session. */
  readonly retryMaxMs: number;
}

export interface Governed {
  readonly queued: number;
  readonly inFlight: number;
  readonly astray: number;
}
