import { EventEmitter } from 'node:events';
import type { ExitCode, Host, HostEvent } from '../../proxy/cli/host.ts';
import type { Programs } from '../../proxy/cli/programs.ts';
import { run } from '../../proxy/cli/run.ts';

/** A process that keeps what is written, and takes signals from the test. */
export class FakeHost implements Host {
  out = '';
  err = '';
  readonly exits: ExitCode[] = [];
  readonly stdout = { write: (text: string | Uint8Array) => (this.out += textOf(text)), writableLength: 0 };
  readonly stderr = { write: (text: string | Uint8Array) => (this.err += textOf(text)), writableLength: 0 };
  readonly env: Record<string, string>;
  private readonly events = new EventEmitter();

  constructor(env: Record<string, string> = {}) {
    this.env = env;
  }

  on(event: HostEvent, listener: (cause: unknown) => void): void {
    this.events.on(event, listener);
  }

  off(event: HostEvent, listener: (cause: unknown) => void): void {
    this.events.off(event, listener);
  }

  exit(code: ExitCode): void {
    this.exits.push(code);
  }

  raise(event: HostEvent, cause?: unknown): void {
    this.events.emit(event, cause);
  }

  get listeners(): number {
    return this.events.eventNames().length;
  }
}

function textOf(written: string | Uint8Array): string {
  return typeof written === 'string' ? written : Buffer.from(written).toString();
}

const NO_PROGRAMS: Programs = {
  serve: () => Promise.reject(new Error('not to be called')),
  start: () => Promise.reject(new Error('not to be called')),
};

/** One command to its end. */
export async function holdfast(
  argv: readonly string[],
  programs: Partial<Programs> = {},
  env: Record<string, string> = {},
) {
  const host = new FakeHost(env);
  const code = await run(argv, { host, programs: { ...NO_PROGRAMS, ...programs } });
  return { code, out: host.out, err: host.err };
}
