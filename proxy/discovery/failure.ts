/**
 * What can go wrong with a request to the API server, and what follows from it. A table, so that each fault has one row.
 * No row clears what is known: a failure never removes a pod.
 */
import { type BackoffOptions, backoffMs } from './backoff.ts';

export interface Failure {
  /**
   * `http`: an answer with an error status, also one inside a watch. `network`: no connection or a broken one. `tls`: the
   * certificates do not fit. `credentials`: the kubeconfig or what it names. `malformed`: an answer that breaks the API's
   * contract. `silent`: no answer in time.
   */
  readonly kind: 'http' | 'network' | 'tls' | 'credentials' | 'malformed' | 'silent';
  /** For people: what is wrong, where, what to do. The same text for the same failure, since each text is logged once. */
  readonly message: string;
  readonly status?: number;
  readonly retryAfterMs?: number;
  /** 504 with cause ResourceVersionTooLarge: this replica of the API server does not know our version yet. */
  readonly versionTooLarge?: boolean;
}

/** What failed: the first page of a list, a later page, or a watch. */
export type Phase = 'list' | 'page' | 'watch';

export interface Situation {
  readonly phase: Phase;
  /** Failures in a row before this one. */
  readonly attempt: number;
  /** 401 in a row before this one. */
  readonly unauthorized: number;
}

export interface Remedy {
  readonly next: 'list' | 'watch';
  readonly delayMs: number;
  /** Read the kubeconfig, its certificates and its tokens again. */
  readonly refresh: boolean;
  /** List without paging: the continue token expired, and would again if the list takes as long. */
  readonly whole: boolean;
}

/** A server that asks for more is believed up to here; an API that is back must be noticed within a minute. */
const MAX_RETRY_AFTER_MS = 60_000;
/** client-go waits one second when a "too large resource version" does not say how long. */
const VERSION_RETRY_MS = 1_000;
/** A version that is still unknown after so many waits is from another history (restored backup): only a list can tell. */
const MAX_VERSION_WAITS = 5;

/** @param random uniform in [0, 1) */
export function remedyFor(failure: Failure, situation: Situation, random: number, backoff: BackoffOptions): Remedy {
  const { phase, attempt, unauthorized } = situation;
  const again: Remedy = {
    next: phase === 'watch' ? 'watch' : 'list',
    delayMs: pause(failure, attempt, random, backoff),
    refresh: false,
    whole: false,
  };
  switch (failure.kind) {
    case 'network':
      return again;
    case 'tls':
    case 'credentials':
      return { ...again, refresh: true };
    case 'malformed':
    case 'silent':
      return { ...again, next: 'list' };
    case 'http':
      return remedyForStatus(failure, again, { phase, attempt, unauthorized });
  }
}

function remedyForStatus(failure: Failure, again: Remedy, { phase, attempt, unauthorized }: Situation): Remedy {
  if (failure.status === 401) return { ...again, refresh: true, delayMs: unauthorized === 0 ? 0 : again.delayMs };
  if (failure.status === 410) {
    return { ...again, next: 'list', whole: phase === 'page', delayMs: attempt === 0 ? 0 : again.delayMs };
  }
  if (failure.versionTooLarge === true) {
    const delayMs = Math.max(again.delayMs, failure.retryAfterMs ?? VERSION_RETRY_MS);
    return { ...again, delayMs, next: attempt < MAX_VERSION_WAITS ? again.next : 'list' };
  }
  const passing = failure.status === 403 || failure.status === 429 || (failure.status ?? 0) >= 500;
  return passing ? again : { ...again, next: 'list' };
}

function pause(failure: Failure, attempt: number, random: number, backoff: BackoffOptions): number {
  const jittered = backoffMs(attempt, random, backoff);
  if (failure.retryAfterMs === undefined) return jittered;
  // Up to a quarter later than asked: everybody else was told the same number.
  return Math.max(jittered, Math.min(failure.retryAfterMs, MAX_RETRY_AFTER_MS) * (1 + random / 4));
}
