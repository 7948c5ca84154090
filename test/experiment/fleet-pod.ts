/** One pod of a run. */
import type { Child } from './child.ts';

export interface FleetPod {
  readonly name: string;
  /** HOST:PORT */
  readonly address: string;
  readonly process: Child;
}
