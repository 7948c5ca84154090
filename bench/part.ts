/** What a part of the bench is, and what comes out of it. */
import type { Faults } from './load/lane.ts';
import type { Call } from './parts/call-tree.ts';
import type { Stage } from './stage.ts';

/** By name; units are part of the name. */
export type Figures = Readonly<Record<string, number>>;

export interface Outcome {
  readonly figures: Figures;
  /** Where messages were counted. An outcome with faults is no figure of merit. */
  readonly faults?: Faults;
  /** What a reader must know to believe the figures. */
  readonly notes?: readonly string[];
  /** Where the time went, to be drawn. */
  readonly calls?: Call;
}

/** How large and long everything is. */
export interface Sizes {
  readonly warmMs: number;
  readonly measureMs: number;
  /** Nothing tells when a proxy has put in order what connecting has left, so it is given this time before memory is looked at. */
  readonly restMs: number;
  /** Users that messages are pushed to. */
  readonly users: number;
  /** Sessions of which memory is looked at: with few of them it is the compiler's that is measured, which has its 15 MiB once. */
  readonly idle: number;
  /** Of handover and connect-storm. */
  readonly sessions: number;
  /** Sessions on the pod that dies in storm. */
  readonly stormSessions: number;
}

export interface Context {
  readonly sizes: Sizes;
  /** The core that proxies have to themselves; undefined: none. */
  readonly proxyCore: string | undefined;
}

/** Done with each proxy in turn. */
export interface Comparison {
  readonly name: string;
  readonly description: string;
  /** `shared`: with users that are there already; `fresh`: a proxy of its own that nobody has used. */
  readonly stage: 'shared' | 'fresh';
  run(stage: Stage, context: Context): Promise<Outcome>;
}

/** Holdfast alone, or a part of it. */
export interface Solo {
  readonly name: string;
  readonly description: string;
  /** By subject, e.g. how many pods. */
  run(context: Context): Promise<Readonly<Record<string, Outcome>>>;
}
