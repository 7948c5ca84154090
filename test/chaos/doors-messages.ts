/** What the process with the fault doors and the one with the schedule say to each other. Doors have numbers. */
import type { NetworkFault } from './fault-door.ts';

export type ToDoors =
  | { readonly type: 'open'; readonly door: number; readonly target: string }
  | { readonly type: 'target'; readonly door: number; readonly target: string }
  | { readonly type: 'fault'; readonly door: number; readonly fault: NetworkFault }
  | { readonly type: 'reset'; readonly door: number }
  | { readonly type: 'close'; readonly door: number };

/** The answer to each of them, when it is done. */
export interface FromDoors {
  readonly door: number;
  /** Where the door listens. */
  readonly address: string;
}
