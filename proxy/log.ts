import { hash, randomBytes } from 'node:crypto';
import { type DestinationStream, pino } from 'pino';
import { type LogLosses, LogOutput, type LogSink } from './log-output.ts';

/** The part of pino that Holdfast uses: fields first, then the message. */
export type Log = Pick<pino.Logger, 'debug' | 'info' | 'warn' | 'error' | 'child'>;

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'silent'] as const;

export interface LogOptions {
  readonly level: (typeof LOG_LEVELS)[number];
  /** Whether lines may name users; otherwise they carry a hash that only joins the lines of one process. */
  readonly users: boolean;
}

/** How a user appears in a log line. */
export type UserField = (user: string) => { readonly user: string } | { readonly userHash: string };

/** One JSON object a line; times are ISO 8601 in UTC. */
export function createLog(options: LogOptions, destination: DestinationStream): Log {
  const settings: pino.LoggerOptions = {
    base: null,
    level: options.level,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  return pino(settings, destination);
}

/** The log of a process, on its stdout, which is never waited for (log-output.ts). */
export function createStdoutLog(
  options: LogOptions,
  stdout: LogSink,
): { readonly log: Log; readonly losses: LogLosses } {
  const output = new LogOutput(stdout, (lines) => log.warn({ lines }, 'log lines lost: who reads them was too slow'));
  const log = createLog(options, output);
  // A process that ends in the middle of a turn, by a mistake of ours most of all, still says why.
  process.once('exit', () => output.flush());
  return { log, losses: output };
}

/** Random per process, so that nobody can find a user in old logs by hashing a list of names. */
const processKey = randomBytes(32).toString('hex');

/** Spread the result into the fields of a log line: `log.info({ ...userField(user), pod }, 'session moved')`. */
export function createUserField(options: Pick<LogOptions, 'users'>): UserField {
  if (options.users) return (user) => ({ user });
  return (user) => ({ userHash: hash('sha256', processKey + user).slice(0, 12) });
}
