/** The backend as a process of its own. */
import { pino } from 'pino';
import { helpText, type Parsed, parseFlags } from './flags.ts';
import { type Backend, startBackend } from './server.ts';

/** The usual exit status of a process that SIGTERM ended (128 + 15). */
const TERMINATED = 143;
const BAD_USAGE = 2;

async function main(args: readonly string[]): Promise<void> {
  const parsed = parseFlags(args);
  if (parsed.help) {
    process.stdout.write(helpText());
    return;
  }
  const backend = await start(parsed);
  endOnSignals(backend);
  if (parsed.exitOnStdinEnd) process.stdin.resume().once('end', () => process.exit());
  process.stdout.write(`${JSON.stringify({ ready: true, name: backend.name, address: backend.address })}\n`);
}

function start({ logLevel, options }: Parsed): Promise<Backend> {
  // Written at once: what a pod says last before it dies is what matters most.
  const log = pino({ level: logLevel }, pino.destination({ fd: 2, sync: true }));
  const crash = () => process.kill(process.pid, 'SIGKILL');
  return startBackend({ ...options, log: log.child({ pod: options.name }), crash });
}

function endOnSignals(backend: Backend): void {
  let asked = false;
  const end = () => {
    if (asked) process.exit(TERMINATED);
    asked = true;
    void backend.drain().then(() => process.exit(0));
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

main(process.argv.slice(2)).catch((error: unknown) => {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`holdfast-backend: ${message}\nTry --help.\n`);
  process.exitCode = BAD_USAGE;
});
