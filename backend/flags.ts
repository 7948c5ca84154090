/** The command line of the backend: one table for parsing and for --help. */
import { parseArgs } from 'node:util';
import type { FaultPlan } from './faults.ts';
import type { BackendOptions } from './options.ts';

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** Options as the command line can give them: everything is there that was said, nothing else. */
export interface Parsed {
  readonly help: boolean;
  readonly exitOnStdinEnd: boolean;
  readonly logLevel: LogLevel;
  readonly options: BackendOptions;
}

interface Flag {
  /** What --help shows after the name; none for a switch. */
  readonly value?: string;
  readonly help: string;
  readonly multiple?: true;
  /** Puts a value where it belongs. */
  readonly apply: (to: Draft, value: string) => void;
}

interface Draft {
  help: boolean;
  exitOnStdinEnd: boolean;
  logLevel: LogLevel;
  options: BackendOptions;
  faults: Partial<FaultPlan>;
}

const SERVING: Readonly<Record<string, Flag>> = {
  listen: { value: 'HOST:PORT', help: 'default 127.0.0.1:0 (a free port)', apply: (to, v) => put(to, { listen: v }) },
  name: { value: 'NAME', help: "the pod's name; default: the host's name", apply: (to, v) => put(to, { name: v }) },
  path: { value: '/PATH', help: 'take WebSockets at this path only', apply: (to, v) => put(to, { path: v }) },
  'user-header': {
    value: 'NAME',
    help: 'header of the upgrade that names the user; repeatable; default Username, then holdfast-user',
    multiple: true,
    apply: (to, v) => put(to, { userHeaders: [...(to.options.userHeaders ?? []), v] }),
  },
  'service-user': {
    value: 'NAME',
    help: 'user who may SEND to /user/{user}/…; repeatable',
    multiple: true,
    apply: (to, v) => put(to, { serviceUsers: [...(to.options.serviceUsers ?? []), v] }),
  },
  'heart-beat': {
    value: 'SEND,EXPECT',
    help: 'fastest heart-beats in ms, 0 = none; default 1000,1000',
    apply: (to, v) => put(to, { heartBeatMs: pair('heart-beat', v) }),
  },
  'drain-grace': {
    value: 'MS',
    help: 'serve so long after SIGTERM while sessions are left; default 25000',
    apply: (to, v) => put(to, { drainGraceMs: count('drain-grace', v) }),
  },
  'max-frame-bytes': {
    value: 'N',
    help: 'largest STOMP frame that is taken; default 73728',
    apply: (to, v) => put(to, { limits: { maxFrameBytes: count('max-frame-bytes', v) } }),
  },
  'max-buffered-bytes': {
    value: 'N',
    help: 'what may wait for a slow session before it is closed; default 524288',
    apply: (to, v) => put(to, { maxBufferedBytes: count('max-buffered-bytes', v) }),
  },
  'log-level': {
    value: 'LEVEL',
    help: `${LOG_LEVELS.join(', ')}; JSON lines on stderr; default warn`,
    apply: (to, v) => {
      to.logLevel = level(v);
    },
  },
  'exit-on-stdin-end': {
    help: 'stop when stdin ends, so that no pod outlives the program that started it',
    apply: (to) => {
      to.exitOnStdinEnd = true;
    },
  },
  help: {
    help: 'show this',
    apply: (to) => {
      to.help = true;
    },
  },
};

const FAULTS: Readonly<Record<string, Flag>> = {
  delay: number('MS', 'each message is delivered so much later', 'delay', 'delayMs'),
  'connect-delay': number('MS', 'CONNECTED comes so much later', 'connect-delay', 'connectDelayMs'),
  'crash-after': number('N', 'kill -9 itself after N delivered messages', 'crash-after', 'crashAfter'),
  'drop-every': number('N', 'lose each Nth message', 'drop-every', 'dropEvery'),
  'duplicate-every': number('N', 'deliver each Nth message twice', 'duplicate-every', 'duplicateEvery'),
  'swap-every': number('N', 'deliver each Nth message after the next one', 'swap-every', 'swapEvery'),
  'send-error-after': number('N', 'ERROR to a session after N messages', 'send-error-after', 'sendErrorAfter'),
  'no-receipts': toggle("receipts for DISCONNECT only, as Spring's simple broker", 'noReceipts'),
  'refuse-connect': toggle('answer CONNECT with ERROR', 'refuseConnect'),
  'drop-after': number('MS', 'close each session with 1011 so long after CONNECTED', 'drop-after', 'dropAfterMs'),
  'refuse-upgrade': number(
    'STATUS',
    'answer WebSocket upgrades with this HTTP status',
    'refuse-upgrade',
    'refuseUpgrade',
  ),
  'close-code': number('CODE', 'close code at shutdown; 1006 = cut; default 1001', 'close-code', 'closeCode'),
};

/** Throws an Error (RangeError, or TypeError of parseArgs) that names the flag which is wrong. */
export function parseFlags(args: readonly string[]): Parsed {
  const flags = { ...SERVING, ...FAULTS };
  const { values } = parseArgs({
    args: [...args],
    strict: true,
    options: Object.fromEntries(
      Object.entries(flags).map(([name, { value, multiple }]) => [
        name,
        { type: value === undefined ? ('boolean' as const) : ('string' as const), multiple: multiple ?? false },
      ]),
    ),
  });
  const draft: Draft = { help: false, exitOnStdinEnd: false, logLevel: 'warn', options: {}, faults: {} };
  for (const [name, given] of Object.entries(values)) {
    for (const value of [given].flat()) flags[name]?.apply(draft, String(value));
  }
  return { ...draft, options: { ...draft.options, faults: draft.faults } };
}

export function helpText(): string {
  return [
    'Usage: node backend/main.ts [FLAG…]',
    '',
    'The reference STOMP-over-WebSocket backend of Holdfast. When it listens it prints one line of JSON:',
    '{"ready":true,"name":…,"address":"HOST:PORT"}. SIGTERM drains it, a second one ends it at once.',
    '',
    ...lines(SERVING),
    '',
    'Planted faults, for tests:',
    ...lines(FAULTS),
    '',
  ].join('\n');
}

function lines(flags: Readonly<Record<string, Flag>>): string[] {
  return Object.entries(flags).map(([name, { value, help }]) => {
    const left = value === undefined ? `--${name}` : `--${name} ${value}`;
    return `  ${left.padEnd(28)}${help}`;
  });
}

type KeysOf<T, V> = { [K in keyof T]: T[K] extends V ? K : never }[keyof T];

function number(value: string, help: string, flag: string, key: KeysOf<FaultPlan, number>): Flag {
  return {
    value,
    help,
    apply: (to, v) => {
      to.faults[key] = count(flag, v);
    },
  };
}

function toggle(help: string, key: KeysOf<FaultPlan, boolean>): Flag {
  return {
    help,
    apply: (to) => {
      to.faults[key] = true;
    },
  };
}

function put(to: Draft, options: BackendOptions): void {
  Object.assign(to.options, options);
}

function count(flag: string, value: string): number {
  if (/^[0-9]{1,15}$/.test(value)) return Number(value);
  throw new RangeError(`--${flag} must be a whole number, not ${JSON.stringify(value)}`);
}

function pair(flag: string, value: string): [number, number] {
  const [first, second, ...more] = value.split(',');
  if (first === undefined || second === undefined || more.length > 0) {
    throw new RangeError(`--${flag} must be two numbers, as in 1000,1000, not ${JSON.stringify(value)}`);
  }
  return [count(flag, first), count(flag, second)];
}

function level(value: string): LogLevel {
  const found = LOG_LEVELS.find((known) => known === value);
  if (found !== undefined) return found;
  throw new RangeError(`--log-level must be one of ${LOG_LEVELS.join(', ')}, not ${JSON.stringify(value)}`);
}
