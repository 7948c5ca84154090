/** The pods of a run: real processes, and the pods file that tells the proxy of them. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startEmbeddedPod } from './backends/embedded.ts';
import { sleep } from './clock.ts';
import type { FleetPod } from './fleet-pod.ts';

export type { FleetPod } from './fleet-pod.ts';

type State = 'serving' | 'draining';

export interface FleetOptions {
  /** Where the pods file is written. */
  readonly directory: string;
  /** More flags for every pod. */
  readonly flags?: readonly string[];
  /** How a pod of that name is started, with which flags; default the embedded backend. */
  readonly startPod?: (name: string, flags: readonly string[]) => Promise<FleetPod>;
  /** How long a pod that is listed as draining serves before SIGTERM. */
  readonly preStopMs?: number;
}

export class Fleet {
  /** The pods file: always whole, since each new one is renamed over the last. */
  readonly file: string;
  readonly #flags: readonly string[];
  readonly #startPod: NonNullable<FleetOptions['startPod']>;
  readonly #preStopMs: number;
  readonly #states = new Map<FleetPod, State>();
  readonly #started = new Set<FleetPod>();
  #lastNumber = 0;

  constructor({ directory, flags = [], startPod = startEmbeddedPod, preStopMs = 0 }: FleetOptions) {
    this.file = join(directory, 'pods.json');
    this.#flags = flags;
    this.#startPod = startPod;
    this.#preStopMs = preStopMs;
    this.#write();
  }

  /** Pods that are listed as serving, by the order in which they came. */
  get serving(): FleetPod[] {
    return [...this.#states].filter(([, state]) => state === 'serving').map(([pod]) => pod);
  }

  /** All pods on the list. */
  get listed(): FleetPod[] {
    return [...this.#states.keys()];
  }

  /** A process that listens; nobody knows of it yet. A new name each time, as pods of a Deployment have, unless one is given. */
  async start(name = `pod-${++this.#lastNumber}`, flags: readonly string[] = []): Promise<FleetPod> {
    const pod = await this.#startPod(name, [...this.#flags, ...flags]);
    this.#started.add(pod);
    return pod;
  }

  /** Lists pods with this state. */
  mark(state: State, ...pods: readonly FleetPod[]): void {
    for (const pod of pods) this.#states.set(pod, state);
    this.#write();
  }

  /** Lists a pod no longer. */
  remove(pod: FleetPod): void {
    this.#states.delete(pod);
    this.#write();
  }

  /** Starts `count` pods and lists them once all are ready. */
  async add(count: number): Promise<FleetPod[]> {
    const pods = await Promise.all(Array.from({ length: count }, () => this.start()));
    this.mark('serving', ...pods);
    return pods;
  }

  /** The planned end: listed as draining, SIGTERM `termAfterMs` after its preStop, off the list when the process has ended. */
  async retire(pod: FleetPod, termAfterMs = 0): Promise<void> {
    this.mark('draining', pod);
    await sleep(this.#preStopMs + termAfterMs);
    pod.process.signal('SIGTERM');
    await pod.process.exited;
    this.#started.delete(pod);
    this.remove(pod);
  }

  /** Kills what is left. */
  async stop(): Promise<void> {
    await Promise.all(Array.from(this.#started, ({ process }) => process.kill()));
  }

  #write(): void {
    const list = Array.from(this.#states, ([{ name, address }, state]) => ({ name, address, state }));
    writeFileSync(`${this.file}.new`, JSON.stringify(list));
    renameSync(`${this.file}.new`, this.file);
  }
}
