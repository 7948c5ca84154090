/** What the commands need of the process; tests give their own. */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Output;
  readonly stderr: Output;
  on(event: HostEvent, listener: (cause: unknown) => void): unknown;
  off(event: HostEvent, listener: (cause: unknown) => void): unknown;
  /** At once, without another word. */
  exit(code: ExitCode): void;
}

export interface Output {
  write(text: string | Uint8Array, done?: (error?: Error | null) => void): unknown;
  /** What was written and is still on its way, because its reader is slow. */
  readonly writableLength: number;
}

export type HostEvent = 'SIGINT' | 'SIGTERM' | 'uncaughtException';

/** 0: done. 1: it failed while running. 2: usage or configuration; nothing was started. */
export type ExitCode = 0 | 1 | 2;

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
