/** The command line of chaos. */
import { parseArgs } from 'node:util';
import { wholeNumber } from '../support/command.ts';
import type { ChaosOptions } from './run.ts';
import { descriptions, KINDS } from './schedule.ts';

const FLAGS = {
  minutes: { type: 'string', default: '5' },
  seed: { type: 'string', default: '1' },
  clients: { type: 'string', default: '2000' },
  rate: { type: 'string', default: '1000' },
  pods: { type: 'string', default: '4' },
  log: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

export const HELP = `Usage: npm run chaos -- [FLAG…]

Real pods behind TCP proxies that break their connections, a real proxy, stock stomp.js clients, producers at the
gateway and with the library, and a schedule of faults. Judges by a ledger; prints what happened and a last line of
JSON. Exits 1 when something was promised and not kept.

Faults:
${KINDS.map((kind) => `  ${kind.padEnd(10)} ${descriptions[kind]}`).join('\n')}

  --minutes N   of faults under load; default 5; fractions are fine
  --seed N      of the schedule and of who is struck; default 1
  --clients N   default 2000
  --rate N      messages per second to all of them; default 1000
  --pods N      default 4; more than half of them are always well
  --log FILE    keep the proxy's log there
  --help        show this
`;

/** Undefined asks for help. Throws an Error that says what is wrong. */
export function readOptions(argv: readonly string[]): ChaosOptions | undefined {
  const { values } = parseArgs({ args: [...argv], options: FLAGS });
  if (values.help) return undefined;
  return {
    durationMs: number('minutes', values.minutes, { least: 0.1, most: 10_000 }) * 60_000,
    seed: wholeNumber('seed', values.seed, { least: 0, most: 2 ** 31 }),
    clients: wholeNumber('clients', values.clients, { least: 1, most: 9_000 }),
    rate: wholeNumber('rate', values.rate, { least: 1, most: 100_000 }),
    pods: wholeNumber('pods', values.pods, { least: 3, most: 100 }),
    logFile: values.log,
  };
}

interface Range {
  readonly least: number;
  readonly most: number;
}

function number(flag: string, text: string, { least, most }: Range): number {
  const value = Number(text);
  if (text !== '' && value >= least && value <= most) return value;
  throw new Error(`--${flag} must be a number from ${least} to ${most}, not ${text}`);
}
