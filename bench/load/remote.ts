/** A process that generates load, and calls to what it has: questions and answers by number over Node's own channel. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

interface Question {
  readonly id: number;
  readonly call: string;
  readonly argument: unknown;
}

interface Answer {
  readonly id: number;
  readonly value?: unknown;
  readonly error?: string;
}

/** What can be called: one argument that JSON can carry, and such a result. */
type Calls<T> = { readonly [K in keyof T]: (argument: never) => unknown };
type ArgumentOf<F> = F extends (argument: infer A) => unknown ? A : never;
type ResultOf<F> = F extends (argument: never) => infer R ? Awaited<R> : never;

export class Remote<T extends Calls<T>> {
  readonly process: ChildProcess;
  readonly #name: string;
  readonly #waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  #lastId = 0;

  /** @param file beside this one; it calls `serveCalls` */
  constructor(name: string, file: string) {
    this.#name = name;
    this.process = fork(fileURLToPath(new URL(file, import.meta.url)), { stdio: 'inherit' });
    this.process.on('message', (answer: Answer) => this.#answered(answer));
    this.process.on('exit', () => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`${name} has ended`));
    });
  }

  get pid(): number {
    return this.process.pid ?? 0;
  }

  ask<K extends keyof T & string>(call: K, argument: ArgumentOf<T[K]>): Promise<ResultOf<T[K]>> {
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      if (!this.#isRunning) return reject(new Error(`${this.#name} has ended`));
      this.#waiting.set(id, { resolve: (value) => resolve(value as ResultOf<T[K]>), reject });
      this.process.send({ id, call, argument } satisfies Question);
    });
  }

  /** SIGKILL; resolves when it has ended. */
  async kill(): Promise<void> {
    if (!this.#isRunning) return;
    const exited = once(this.process, 'exit');
    this.process.kill('SIGKILL');
    await exited;
  }

  get #isRunning(): boolean {
    return this.process.exitCode === null && this.process.signalCode === null;
  }

  #answered({ id, value, error }: Answer): void {
    const waiting = this.#waiting.get(id);
    this.#waiting.delete(id);
    if (error === undefined) waiting?.resolve(value);
    else waiting?.reject(new Error(`${this.#name}: ${error}`));
  }
}

/** The other side: answers calls with the methods of `target` for as long as the parent lives. */
export function serveCalls<T extends Calls<T>>(target: T): void {
  process.on('message', ({ id, call, argument }: Question) => {
    const method = target[call as keyof T] as unknown as (argument: unknown) => unknown;
    // Thrown errors are answers, too.
    new Promise((resolve) => resolve(method.call(target, argument))).then(
      (value) => process.send?.({ id, value } satisfies Answer),
      (error: unknown) => process.send?.({ id, error: String(error) } satisfies Answer),
    );
  });
  process.on('disconnect', () => process.exit());
}
