/** What the commands need of the process; tests give their own. */
export interface Host {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown };
  on(event: HostEvent, listener: (cause: unknown) => void): unknown;
  off(event: HostEvent, listener: (cause: unknown) => void): unknown;
  /** At once, without another word. */
  exit(code: ExitCode): void;
}

export type HostEvent = 'SIGINT' | 'SIGTERM' | 'uncaughtException';

/** 0: done. 1: it failed while running. 2: usage or configuration; nothing was started. */
export type ExitCode = 0 | 1 | 2;

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
