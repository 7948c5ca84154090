/** What a backend can be told, what it takes when it is not told, and why. */
import { hostname } from 'node:os';
import { DEFAULT_LIMITS, type DecoderLimits, type HeartBeat } from '../stomp/index.ts';
import { type FaultPlan, NO_FAULTS } from './faults.ts';
import { type Log, silentLog } from './log.ts';

export interface BackendOptions {
  /** The pod's name, in answers and logs. Default: the host's name, which in Kubernetes is the pod's. */
  name?: string;
  /** HOST:PORT, an IPv6 host in brackets; port 0 takes a free one. Default 127.0.0.1:0. */
  listen?: string;
  /** The only path that WebSockets are accepted at, e.g. /ws. Default: any. */
  path?: string;
  /** Headers of the upgrade request that may name the user, first found wins; then STOMP login. Default: username, holdfast-user. */
  userHeaders?: readonly string[];
  /** Users who may SEND to /user/{user}/…: the producers. Default: none. */
  serviceUsers?: readonly string[];
  /** How often beats can be sent and may be asked for at most, 0 = off. Default 1000,1000: as often as a peer asks, within reason. */
  heartBeatMs?: HeartBeat;
  /** How long a draining pod goes on serving while sessions are left. Default 25 s: Kubernetes kills after 30. */
  drainGraceMs?: number;
  /** How long a peer has to answer a close before its connection is cut. Default 2 s. */
  closeTimeoutMs?: number;
  /** How long a WebSocket may take to its CONNECT. Default 10 s, as RabbitMQ. */
  connectTimeoutMs?: number;
  /** Bounds of a STOMP frame from a client. */
  limits?: Partial<DecoderLimits>;
  /** Largest payload of a producer's POST. Default 64 KiB: with headers it is then a frame that everybody takes. */
  maxBodyBytes?: number;
  /** Octets that may wait for a slow session; past it the session is closed 4500. Default 512 KiB, as Spring. */
  maxBufferedBytes?: number;
  /** WebSockets at one time; more are answered 503. Default 10,000. */
  maxConnections?: number;
  /** Subscriptions of one session. Default 1000. */
  maxSubscriptions?: number;
  /** Messages of one session that may wait for their ACK. Default 10,000, about 1 MB of ids. */
  maxUnacknowledged?: number;
  faults?: Partial<FaultPlan>;
  /** What the fault `crashAfter` does. Default: `kill()`; the program ends its own process by SIGKILL. */
  crash?: () => void;
  /** Default: no log. */
  log?: Log;
}

export interface Settings extends Required<Omit<BackendOptions, 'path' | 'crash' | 'limits' | 'faults'>> {
  readonly path: string | undefined;
  readonly limits: DecoderLimits;
  readonly faults: FaultPlan;
}

const DEFAULTS = {
  listen: '127.0.0.1:0',
  userHeaders: ['username', 'holdfast-user'],
  serviceUsers: [],
  heartBeatMs: [1000, 1000],
  drainGraceMs: 25_000,
  closeTimeoutMs: 2000,
  connectTimeoutMs: 10_000,
  maxBodyBytes: 64 * 1024,
  maxBufferedBytes: 512 * 1024,
  maxConnections: 10_000,
  maxSubscriptions: 1000,
  maxUnacknowledged: 10_000,
} as const satisfies BackendOptions;

/** The longest time that a timer of Node can wait for; it fires at once for longer ones. */
const MAX_TIMER_MS = 2 ** 31 - 1;

const CLOSE_CODES = 'closeCode must be 1000, 1001, 1006, 1011 to 1014 or 3000 to 4999';

/** Options with their defaults. Throws a RangeError that names a value which cannot be. */
export function settle(options: BackendOptions): Settings {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const faults = { ...NO_FAULTS, ...options.faults };
  const settings = {
    ...DEFAULTS,
    name: hostname(),
    log: silentLog,
    ...options,
    path: options.path,
    userHeaders: (options.userHeaders ?? DEFAULTS.userHeaders).map((name) => name.toLowerCase()),
    limits,
    faults,
  };
  checkNumbers({ ...settings, ...limits, ...faults });
  const [heartBeatSendMs, heartBeatExpectMs] = settings.heartBeatMs;
  checkNumbers({ heartBeatSendMs, heartBeatExpectMs });
  checkFaults(faults);
  if (settings.path?.startsWith('/') === false) throw new RangeError(`path must begin with a slash: ${settings.path}`);
  return settings;
}

function checkNumbers(values: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(values)) {
    const max = name.endsWith('Ms') ? MAX_TIMER_MS : Number.MAX_SAFE_INTEGER;
    if (typeof value === 'number' && !(Number.isInteger(value) && value >= 0 && value <= max)) {
      throw new RangeError(`${name} must be a whole number from 0 to ${max}, not ${value}`);
    }
  }
}

function checkFaults({ refuseUpgrade, closeCode }: FaultPlan): void {
  if (refuseUpgrade !== 0 && (refuseUpgrade < 400 || refuseUpgrade > 599)) {
    throw new RangeError(`refuseUpgrade must be an HTTP status from 400 to 599, not ${refuseUpgrade}`);
  }
  if (!isCloseCode(closeCode)) throw new RangeError(`${CLOSE_CODES}, not ${closeCode}`);
}

/** Codes that may stand in a close frame (RFC 6455 section 7.4 and its registry), and 1006 for none. */
function isCloseCode(code: number): boolean {
  return [1000, 1001, 1006, 1011, 1012, 1013, 1014].includes(code) || (code >= 3000 && code <= 4999);
}
