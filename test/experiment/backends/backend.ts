/**
 * The seam between the experiment and what stands behind the proxy: how pods of one kind are run, what clients subscribe to,
 * and how producers reach their users. Scenarios, clients, the ledger and the table know nothing else of a backend.
 */
import type { FleetPod } from '../fleet-pod.ts';
import type { Posting } from '../posting.ts';
import type { Random } from '../random.ts';

/** With Holdfast between clients, producer and pods, or without it. */
export type Mode = 'holdfast' | 'direct';

export interface BackendOptions {
  readonly mode: Mode;
  /** More flags of the pods' program, if it takes any. */
  readonly podFlags: readonly string[];
}

/** Where a producer finds the pods, and the proxy if there is one. */
export interface Producing {
  /** HOST:PORT of the pods that are listed as serving, at this moment. */
  readonly addresses: () => readonly string[];
  /** Of the proxy, for producers that use its gateway. */
  readonly adminUrl: string | undefined;
  readonly random: Random;
  /** Producers that have no gateway mark each message with an id of its own, by which the proxy knows repeats. */
  readonly ids: boolean;
}

/** What most backends have. */
export const USUAL = {
  path: '/ws',
  destinations: ['/queue/news', '/queue/orders'],
  receipts: true,
  live: async () => {},
} as const;

export interface Backend {
  /**
   * Resolves when the pod serves; nobody knows of it yet. A name that it had before is that of a pod which has ended, and comes back
   * as a container or a member of a StatefulSet does.
   *
   * @param flags of this pod alone
   */
  startPod(name: string, flags: readonly string[]): Promise<FleetPod>;
  /** How long a pod that is listed as draining serves before SIGTERM (`lifecycle.preStop.sleep`); 0 if it sees to that itself. */
  readonly preStopMs: number;
  /** Flags of `holdfast serve` that this kind of backend needs. */
  readonly proxyFlags: readonly string[];
  /** Where clients connect. */
  readonly path: string;
  /** What a user is sent messages to. Several, since order is promised for each of them alone. */
  readonly destinations: readonly string[];
  /** What a client of `user` subscribes to, to get what is sent to the user's `destination`. */
  subscriptionOf(user: string, destination: string): string;
  /** Whether a receipt proves a subscription live; if not, `live` does. */
  readonly receipts: boolean;
  /** Resolves when messages to this user and destination arrive. May send message 0, which no client counts. */
  live(user: string, destination: string, addresses: readonly string[]): Promise<void>;
  posting(producing: Producing): Posting;
  /** Messages that a broker between the pods has taken and given out since the start; undefined when there is none. */
  brokerMessages(): Promise<number | undefined>;
  /** Ends what the pods share. The pods have ended. */
  stop(): Promise<void>;
}

/** What it takes to run pods and a proxy in front of them. */
export type Pods = Pick<Backend, 'startPod' | 'proxyFlags' | 'stop'>;
