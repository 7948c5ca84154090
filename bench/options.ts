/** The command line of the bench. */
import { parseArgs } from 'node:util';
import { wholeNumber } from '../test/support/command.ts';
import type { Sizes } from './part.ts';
import { comparisons, partNames, solos } from './parts/index.ts';
import { proxies, REFERENCE } from './proxies/index.ts';

export interface Options {
  readonly parts: readonly string[];
  readonly proxies: readonly string[];
  readonly rounds: number;
  readonly sizes: Sizes;
  /** How long each sample waits for a machine that nobody else uses. */
  readonly patienceMs: number;
  /** Of the file in bench/results. */
  readonly name: string;
  /** Folder for plots. */
  readonly plots: string | undefined;
  /** Nothing is measured: the file is read. */
  readonly read: boolean;
}

const SIZES: Sizes = {
  warmMs: 1_500,
  measureMs: 5_000,
  restMs: 2_000,
  users: 200,
  idle: 5_000,
  sessions: 2_000,
  stormSessions: 5_000,
};
const QUICK: Partial<Sizes> = {
  warmMs: 500,
  measureMs: 1_000,
  restMs: 200,
  idle: 500,
  sessions: 500,
  stormSessions: 500,
};

const proxyNames = proxies.map(({ name }) => name);
const list = (items: readonly { readonly name: string; readonly description: string }[]) =>
  items.map(({ name, description }) => `  ${name.padEnd(14)} ${description}`).join('\n');

const FLAGS = {
  only: { type: 'string' },
  proxies: { type: 'string' },
  rounds: { type: 'string' },
  quick: { type: 'boolean', default: false },
  users: { type: 'string' },
  idle: { type: 'string' },
  sessions: { type: 'string' },
  storm: { type: 'string' },
  seconds: { type: 'string' },
  patience: { type: 'string' },
  name: { type: 'string', default: 'latest' },
  plots: { type: 'string' },
  read: { type: 'boolean', default: false },
  help: { type: 'boolean', default: false },
} as const;

export const HELP = `Usage: npm run bench -- [FLAG…]

What Holdfast costs, beside other proxies and alone. Prints tables, and writes everything to bench/results/NAME.json.
The proxy has one core to itself, all else the others; CPU time is the kernel's count. Linux only.

Proxies, in turn in each round; what is not installed is left out:
${list(proxies)}

Parts with each of them:
${list(comparisons)}

Parts with Holdfast alone:
${list(solos)}

  --only A,B       these parts only
  --proxies A,B    these proxies only; ratios are to ${REFERENCE}
  --rounds N       default 3; 1 with --quick
  --quick          short and small: to see that all works, not for figures
  --seconds N      that each load is measured; default ${SIZES.measureMs / 1000}
  --users N        that messages are pushed to; default ${SIZES.users}
  --idle N         of sessions; default ${SIZES.idle}
  --sessions N     of handover and connect-storm; default ${SIZES.sessions}
  --storm N        sessions on the pod that dies in storm; default ${SIZES.stormSessions}
  --patience N     waits so many seconds at most, before each sample, for a machine that nobody else uses; default 0
  --name NAME      of the results; default latest
  --plots FOLDER   draws the comparison there, as SVG
  --read           measures nothing: tables and plots of the results NAME
  --help           show this
`;

/** Undefined asks for help. Throws an Error that says what is wrong. */
export function readOptions(argv: readonly string[]): Options | undefined {
  const { values } = parseArgs({ args: [...argv], options: FLAGS });
  if (values.help) return undefined;
  const usual = values.quick ? { ...SIZES, ...QUICK } : SIZES;
  return {
    parts: namesIn('only', values.only, partNames),
    proxies: namesIn('proxies', values.proxies, proxyNames),
    rounds: whole('rounds', values.rounds, values.quick ? 1 : 3, 100),
    sizes: {
      warmMs: usual.warmMs,
      restMs: usual.restMs,
      measureMs: 1000 * whole('seconds', values.seconds, usual.measureMs / 1000, 600),
      users: whole('users', values.users, usual.users, USERS_MAX),
      idle: whole('idle', values.idle, usual.idle, USERS_MAX),
      sessions: whole('sessions', values.sessions, usual.sessions, USERS_MAX),
      stormSessions: whole('storm', values.storm, usual.stormSessions, USERS_MAX),
    },
    patienceMs: values.patience === undefined ? 0 : 1000 * whole('patience', values.patience, 0, 3_600),
    name: fileName(values.name),
    plots: values.plots,
    read: values.read,
  };
}

/** Each takes two descriptors at the proxy, of which there are seldom more than 20,000. */
const USERS_MAX = 9_000;

function namesIn(flag: string, text: string | undefined, known: readonly string[]): readonly string[] {
  if (text === undefined) return known;
  const names = text.split(',');
  for (const name of names) {
    if (!known.includes(name)) throw new Error(`--${flag} ${name} is unknown; take some of ${known.join(', ')}`);
  }
  return names;
}

function whole(flag: string, text: string | undefined, usual: number, most: number): number {
  return text === undefined ? usual : wholeNumber(flag, text, { least: 1, most });
}

function fileName(name: string): string {
  if (/^[\w.-]+$/.test(name)) return name;
  throw new Error(`--name must be of letters, digits, . _ and -, not ${name}`);
}
