/** From what was measured of a load to figures. */
import type { Faults } from '../load/lane.ts';
import type { Outcome } from '../part.ts';
import type { Measured } from '../stage.ts';
import type { Usage } from '../usage.ts';

/** Names that reports look for. */
export const FIGURE = {
  cpu: 'CPU µs/message',
  perCpuSecond: 'messages/CPU-second',
  rss: 'RSS KiB/session',
  connect: 'CPU µs/connect',
  p50: 'p50 ms',
  p99: 'p99 ms',
  p999: 'p999 ms',
  added: 'added p50 ms',
  loopDelay: 'event loop delay p99 ms',
} as const;

const US_PER_MS = 1000;
/** A proxy that was running or waiting for its core this share of the time could not have done more. */
const BUSY = 0.9;
/** Of the messages that should have come. */
const ENOUGH = 0.98;

export interface LoadOptions {
  /** Messages that the proxy passed on for each that came in at the users. */
  readonly hops: number;
  /** Messages a second that should have come in; undefined: as many as can. */
  readonly rate?: number;
}

export function loadOutcome(
  { span, usage, loopDelayMs }: Measured,
  faults: Faults,
  { hops, rate }: LoadOptions,
): Outcome {
  const { p50, p99, p999 } = span.latency;
  const messages = span.received * hops;
  const perSecond = (1000 * messages) / span.ms;
  const figures = {
    ...{ [FIGURE.p50]: p50, [FIGURE.p99]: p99, [FIGURE.p999]: p999, 'messages/s': perSecond },
    ...(loopDelayMs === undefined ? {} : { [FIGURE.loopDelay]: loopDelayMs }),
  };
  const isSlow = rate !== undefined && perSecond < rate * hops * ENOUGH;
  const notes = isSlow ? [`${Math.round(perSecond)} messages/s came instead of ${rate * hops}`] : [];
  if (usage === undefined) return { figures, faults, notes };
  if (rate === undefined && !isBusy(usage, span.ms)) notes.push('the load generators were the limit');
  return { figures: { ...cpuFigures(usage, messages), ...shares(usage, span.ms), ...figures }, faults, notes };
}

/** The kernel counts the whole exactly, and its halves in ticks. */
function cpuFigures({ cpuMs, userMs, systemMs }: Usage, messages: number) {
  const perMessage = (cpuMs * US_PER_MS) / messages;
  const user = userMs / Math.max(1, userMs + systemMs);
  return {
    [FIGURE.cpu]: perMessage,
    'user µs/message': perMessage * user,
    'system µs/message': perMessage * (1 - user),
    [FIGURE.perCpuSecond]: (1000 * messages) / cpuMs,
  };
}

function shares({ cpuMs, waitMs }: Usage, ms: number) {
  return { 'core used %': (100 * cpuMs) / ms, 'core waited for %': (100 * waitMs) / ms };
}

function isBusy({ cpuMs, waitMs }: Usage, ms: number): boolean {
  return cpuMs + waitMs >= BUSY * ms;
}
