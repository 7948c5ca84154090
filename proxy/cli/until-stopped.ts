import type { Running } from '../running.ts';
import { type ExitCode, type Host, type HostEvent, messageOf } from './host.ts';

/**
 * A second signal sooner than this is the first one come twice: Ctrl-C reaches every process of the terminal's group, and
 * npm or another parent passes it on as well.
 */
const SAME_SIGNAL_MS = 300;

/** When all is done, what still waits for a reader of stdout or stderr gets this long: one that is stuck keeps no process. */
const LAST_WORDS_MS = 1_000;

/**
 * Runs until SIGTERM or SIGINT, then stops in order; a second signal does not wait. An error that nobody caught stops in
 * order too, with code 1: the sessions on this process are worth a clean end.
 *
 * The handlers stand before the start: as process 1 of a container there would be none, and a signal would be lost.
 */
export async function untilStopped(
  host: Host,
  start: () => Promise<Running>,
  now: () => number = () => performance.now(),
): Promise<ExitCode> {
  const stop = new StopSignal(host, now);
  const code = await runUntil(stop, start).catch((error: unknown): ExitCode => {
    host.stderr.write(`holdfast: ${messageOf(error)}\n`);
    return 1;
  });
  stop.release();
  if (host.stdout.writableLength + host.stderr.writableLength > 0) {
    setTimeout(() => host.exit(code), LAST_WORDS_MS).unref();
  }
  return code;
}

async function runUntil(stop: StopSignal, start: () => Promise<Running>): Promise<ExitCode> {
  const running = await start();
  const code = await stop.asked;
  await running.stop();
  return code;
}

/** Listens for what asks the process to end. */
class StopSignal {
  readonly asked: Promise<ExitCode>;
  private readonly host: Host;
  private readonly listeners: [HostEvent, (cause: unknown) => void][];
  private askedAt: number | undefined;

  constructor(host: Host, now: () => number) {
    const { promise, resolve } = Promise.withResolvers<ExitCode>();
    const signalled = () => {
      if (this.askedAt !== undefined && now() - this.askedAt >= SAME_SIGNAL_MS) host.exit(1);
      this.askedAt ??= now();
      resolve(0);
    };
    const failed = (error: unknown) => {
      host.stderr.write(
        `holdfast: stopping after an unexpected error: ${error instanceof Error ? error.stack : error}\n`,
      );
      if (this.askedAt !== undefined) host.exit(1);
      this.askedAt ??= now();
      resolve(1);
    };
    this.host = host;
    this.asked = promise;
    this.listeners = [
      ['SIGINT', signalled],
      ['SIGTERM', signalled],
      ['uncaughtException', failed],
    ];
    for (const [event, listener] of this.listeners) host.on(event, listener);
  }

  release(): void {
    for (const [event, listener] of this.listeners) this.host.off(event, listener);
  }
}
