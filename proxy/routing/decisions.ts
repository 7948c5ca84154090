/** What routing decides. */
import type { Pod } from '../discovery/index.ts';

export type SessionId = number;
/** Why a link is made: the first one, a planned move, or because the last one was lost. */
export type LinkCause = 'open' | 'handover' | 'recovery';

export interface Grant {
  readonly session: SessionId;
  readonly cause: LinkCause;
  readonly pod: Pod;
}

export interface Decisions {
  readonly grants: readonly Grant[];
  /** Sessions that have moved and whose producers now follow. */
  readonly committed: readonly SessionId[];
  /** Sessions that were apart from others of their user for a while, and may have missed messages that those got. */
  readonly wereApart: readonly SessionId[];
  /** How often, since the last decisions, a session was dropped again by the pod that had taken it (see bounces.ts). */
  readonly bounced: number;
}
