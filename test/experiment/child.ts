/** A program as a child process that never outlives this one. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
/** Ends the program when its stdin ends, which it does when its parent dies, however that died. */
export const EXIT_WITH_PARENT = "data:text/javascript,process.stdin.resume().once('end',()=>process.exit(1)).unref()";
/** What is kept of a program's last words, for the error message when it ends too soon. */
const LAST_LINES = 20;

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface ChildOptions {
  /** Variables that it gets beside those of this process. */
  readonly env?: Readonly<Record<string, string>>;
  /** Flags of Node itself. */
  readonly nodeFlags?: readonly string[];
}

/**
 * A Node program of this repository.
 *
 * @param file relative to the root of the repository
 * @param name how errors call it
 */
export function nodeProgram(
  name: string,
  file: string,
  args: readonly string[],
  { env = {}, nodeFlags = [] }: ChildOptions = {},
): Child {
  const flags = [`--import=${EXIT_WITH_PARENT}`, ...nodeFlags];
  return new Child(name, process.execPath, [...flags, `${ROOT}${file}`, ...args], env);
}

/** Any other program, which Linux kills when its parent dies: setpriv of util-linux asks for that and then becomes the program. */
export function foreignProgram(
  name: string,
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Child {
  return new Child(name, 'setpriv', ['--pdeathsig', 'KILL', command, ...args], env);
}

export class Child {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<Exit>;
  readonly #process: ChildProcess;
  readonly #watchers = new Set<(line: string) => void>();
  readonly #lastLines: string[] = [];

  /** Use `nodeProgram` or `foreignProgram`: they see to it that it ends when this process is killed. */
  constructor(name: string, command: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    this.name = name;
    this.#process = spawn(command, args, {
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { ...process.env, ...env },
    });
    running.add(this.#process);
    this.pid = this.#process.pid ?? 0;
    this.exited = this.#exit();
    this.#read(this.#process.stdout);
    this.#read(this.#process.stderr);
  }

  /** Every line of stdout and stderr from now on; the result ends it. */
  onLine(watcher: (line: string) => void): () => void {
    this.#watchers.add(watcher);
    return () => this.#watchers.delete(watcher);
  }

  /** The first line from which `read` takes something. Rejects when the program ends before. */
  async line<T>(read: (line: string) => T | undefined): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const stop = this.onLine((line) => {
      const value = read(line);
      if (value !== undefined) resolve(value);
    });
    void this.exited.then(({ code, signal }) =>
      reject(new Error(`${this.name} has ended (${signal ?? code}):\n${this.lastLines}`)),
    );
    return promise.finally(stop);
  }

  /** Its last words, both streams. */
  get lastLines(): string {
    return this.#lastLines.join('\n');
  }

  get running(): boolean {
    return running.has(this.#process);
  }

  /** A line on its stdin. */
  write(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** Ends it now, in whatever state it is. */
  async kill(): Promise<void> {
    this.signal('SIGKILL');
    await this.exited;
  }

  async #exit(): Promise<Exit> {
    const [code, signal] = (await once(this.#process, 'exit')) as [number | null, NodeJS.Signals | null];
    running.delete(this.#process);
    return { code, signal };
  }

  #read(stream: Readable | null): void {
    if (stream === null) return;
    createInterface({ input: stream }).on('line', (line) => {
      this.#lastLines.push(line);
      if (this.#lastLines.length > LAST_LINES) this.#lastLines.shift();
      for (const watcher of this.#watchers) watcher(line);
    });
  }
}

/** The JSON object in a line, or undefined when there is none: programs may print other things too. */
export function jsonOf(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
