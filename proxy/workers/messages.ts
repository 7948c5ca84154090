/** What primary and workers say to each other. All of it can be cloned; a client's connection goes beside it. */
import type { SessionCounts } from '../admin/index.ts';
import type { Config, HostPort } from '../config/index.ts';
import type { Topology } from '../discovery/index.ts';
import type { HandedOver } from '../listeners/homes.ts';
import type { MetricsJson } from '../metrics.ts';
import type { Whereabouts } from '../relay/switchboard.ts';

/** A client's connection, on its way from the worker that has accepted it to its home. */
export interface Hand {
  readonly type: 'hand';
  readonly home: number;
  readonly client: HandedOver;
}

/** What a worker knows of itself. */
export interface Facts {
  readonly sessions: SessionCounts;
  readonly metrics: MetricsJson;
}

export type ToWorker =
  /** The first. `secret` opens the inner doors. */
  | { readonly type: 'start'; readonly index: number; readonly config: Config; readonly secret: string }
  | { readonly type: 'topology'; readonly topology: Topology }
  /** The ring of this version is committed. */
  | { readonly type: 'commit'; readonly version: string }
  /** Ports of the inner doors by index; undefined for a worker that is not there. */
  | { readonly type: 'doors'; readonly ports: readonly (number | undefined)[] }
  | { readonly type: 'ask'; readonly question: number }
  | { readonly type: 'stop' }
  | Hand;

export type ToPrimary =
  | { readonly type: 'serving'; readonly listen: HostPort; readonly doorPort: number }
  /** It could not start. */
  | { readonly type: 'failed'; readonly message: string; readonly code: string | undefined }
  | {
      readonly type: 'decided';
      readonly ready: string | undefined;
      readonly users: readonly (readonly [user: string, Whereabouts | undefined])[];
    }
  | { readonly type: 'answer'; readonly question: number; readonly facts: Facts }
  /** Every client is told to go. */
  | { readonly type: 'dismissed' }
  | Hand;
