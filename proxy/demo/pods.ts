/** The pods of the demo: processes of the reference backend, and the pods file that tells the proxy of them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { programFile } from '../program-file.ts';

interface DemoPod {
  readonly name: string;
  /** HOST:PORT */
  readonly address: string;
  readonly process: ChildProcess;
  state: 'serving' | 'draining';
}

export class DemoPods {
  readonly file: string;
  readonly #backend = programFile('../backend/main');
  #pods: readonly DemoPod[] = [];
  #lastNumber = 0;
  #stopping = false;

  /** @param directory for the pods file */
  constructor(directory: string) {
    this.file = join(directory, 'pods.json');
  }

  get names(): string[] {
    return this.#pods.map(({ name }) => name);
  }

  /** Resolves when `count` new pods serve. */
  async add(count: number): Promise<void> {
    const pods = await Promise.all(Array.from({ length: count }, () => this.#start()));
    this.#list([...this.#pods, ...pods]);
  }

  /** Replaces every pod as a rolling update does: a new one serves, then an old one drains and ends. */
  async roll(tell: (line: string) => void): Promise<void> {
    for (const old of this.#pods) {
      if (this.#stopping) return;
      await this.add(1);
      tell(`${this.names.at(-1)} serves, ${old.name} drains`);
      await this.#retire(old);
      tell(`${old.name} has ended`);
    }
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    await Promise.all(this.#pods.map(({ process }) => end(process, 'SIGKILL')));
  }

  async #start(): Promise<DemoPod> {
    const name = `pod-${++this.#lastNumber}`;
    const process = spawn(globalThis.process.execPath, [this.#backend, '--name', name, '--exit-on-stdin-end'], {
      stdio: ['pipe', 'pipe', 'inherit'],
      // Ctrl-C goes to the whole group of the terminal; the pods end after the sessions on them.
      detached: true,
    });
    const ended = once(process, 'exit').then(() => undefined);
    const ready = await Promise.race([once(createInterface({ input: process.stdout }), 'line'), ended]);
    if (ready === undefined) throw new Error(`${name} did not start: ${this.#backend}`);
    const { address } = JSON.parse(String(ready[0])) as { address: string };
    return { name, address, process, state: 'serving' };
  }

  async #retire(pod: DemoPod): Promise<void> {
    pod.state = 'draining';
    this.#list(this.#pods);
    await end(pod.process, 'SIGTERM');
    this.#list(this.#pods.filter((other) => other !== pod));
  }

  /** The file is renamed into place, so that it is never read half written. */
  #list(pods: readonly DemoPod[]): void {
    this.#pods = pods;
    if (this.#stopping) return;
    const text = JSON.stringify(pods.map(({ name, address, state }) => ({ name, address, state })));
    writeFileSync(`${this.file}.new`, text);
    renameSync(`${this.file}.new`, this.file);
  }
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill(signal);
  await exited;
}
