/**
 * Follows the EndpointSlices of a Service: decides what to ask the API server next. Pure: events and `now` go in, effects come out.
 *
 *              ┌────────────────── relist is due, 410, malformed, silent ──────────────────┐
 *              ▼                                                                           │
 *   idle → listing ── last page ──▶ dialing ── 200 ──▶ watching ── clean end ──▶ dialing ──┤
 *              │                        │                  │                               │
 *              └──── failure ───────────┴──────────────────┴──▶ backoff ── due ──▶ listing or dialing
 *
 * Rules. A clean end of a watch is normal and goes on from the last version at once; only ends that repeat without the watch having
 * held are backed off. A list asks for no version (a consistent read), so that a replica that lags behind cannot send the world back
 * in time. Versions are opaque and are never compared. No failure changes what is known; only a complete list or an event does.
 * Every request has a generation; what comes late from a request that was given up is ignored.
 */
import { type BackoffOptions, backoffMs } from './backoff.ts';
import type { EndpointSlice } from './endpoint-slice.ts';
import { type Failure, type Phase, remedyFor } from './failure.ts';
import type { ListPage, ListWatchEffect, ListWatchEvent, WatchEvent } from './list-watch-events.ts';

export interface ListWatchOptions {
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** A list page, or the head of a watch, must be there by then. */
  readonly requestMs: number;
  /** A watch that tells nothing for so long is dead. Servers send a bookmark about every 60 s, so 90 s leaves one late. */
  readonly inactivityMs: number;
  /** How long a watch is asked to last; within these bounds at random, so that proxies do not come back together. */
  readonly watchMs: readonly [min: number, max: number];
  /** How often everything is listed anew, in case that events were lost without a trace. */
  readonly relistMs: readonly [min: number, max: number];
  readonly backoff: BackoffOptions;
}

export const LIST_WATCH_DEFAULTS: Omit<ListWatchOptions, 'random'> = {
  requestMs: 30_000,
  inactivityMs: 90_000,
  watchMs: [240_000, 300_000],
  relistMs: [300_000, 600_000],
  backoff: { baseMs: 100, capMs: 10_000 },
};

/** client-go's page size. A Service of 50,000 pods is one page. */
const PAGE_SIZE = 500;
/** 100,000 slices; a list with more pages is a server that never ends it. */
const MAX_PAGES = 200;
/** A watch that brought something after so long has held: what comes next is a new failure and not a repetition. */
const HELD_WITH_EVENTS_MS = 1_000;
/** The same for a watch of a quiet Service; not under the cap of the backoff. */
const HELD_QUIET_MS = 10_000;
/** Watches are asked to end when a relist is due; a server that forgets is helped after this. */
const RELIST_GRACE_MS = 5_000;

interface Retry {
  readonly refresh: boolean;
  /** List without pages. */
  readonly whole: boolean;
}

type State =
  | { readonly at: 'idle' | 'stopped' }
  | {
      readonly at: 'listing';
      readonly generation: number;
      readonly deadline: number;
      readonly whole: boolean;
      readonly pages: number;
      readonly slices: readonly EndpointSlice[];
    }
  | { readonly at: 'dialing'; readonly generation: number; readonly deadline: number }
  | { readonly at: 'watching'; readonly generation: number; readonly openedAt: number; readonly held: boolean }
  | { readonly at: 'backoff'; readonly until: number; readonly next: 'list' | 'watch'; readonly retry: Retry };

export interface ListWatchFacts {
  /** From the first failure until a watch has held again. */
  readonly failing: boolean;
  /** When the server last told the truth (list, head, event or bookmark); undefined before. */
  readonly heardAt: number | undefined;
  readonly relists: number;
  readonly watchRestarts: number;
}

const CALM: Retry = { refresh: false, whole: false };

export class ListWatch {
  readonly #options: ListWatchOptions;
  #state: State = { at: 'idle' };
  #generation = 0;
  #resourceVersion = '';
  #relistAt = Infinity;
  #attempt = 0;
  #unauthorized = 0;
  #failing = false;
  #heardAt: number | undefined;
  #relists = 0;
  #watches = 0;

  constructor(options: ListWatchOptions) {
    this.#options = options;
  }

  get facts(): ListWatchFacts {
    return {
      failing: this.#failing,
      heardAt: this.#heardAt,
      relists: this.#relists,
      watchRestarts: Math.max(0, this.#watches - 1),
    };
  }

  handle(event: ListWatchEvent, now: number): ListWatchEffect[] {
    switch (event.on) {
      case 'start':
        return this.#state.at === 'idle' ? this.#list(now, CALM) : [];
      case 'stop':
        this.#state = { at: 'stopped' };
        return [{ do: 'cancel' }];
      case 'tick':
        return this.#tick(now);
      default:
        return this.#isCurrent(event.generation) ? this.#answered(event, now) : [];
    }
  }

  /** When `tick` must come at the latest; Infinity when nothing is waited for. */
  nextDeadline(): number {
    const state = this.#state;
    switch (state.at) {
      case 'listing':
      case 'dialing':
        return state.deadline;
      case 'watching': {
        const heldAt = state.held ? Infinity : state.openedAt + HELD_QUIET_MS;
        return Math.min(heldAt, this.#silentAt(state.openedAt), this.#relistAt + RELIST_GRACE_MS);
      }
      case 'backoff':
        return state.until;
      default:
        return Infinity;
    }
  }

  #isCurrent(generation: number): boolean {
    return 'generation' in this.#state && this.#state.generation === generation;
  }

  #answered(event: Extract<ListWatchEvent, { generation: number }>, now: number): ListWatchEffect[] {
    const { at } = this.#state;
    if (event.on === 'failed') return this.#failed(event.failure, now);
    if (event.on === 'page' && at === 'listing') return this.#page(event.page, now);
    if (event.on === 'opened' && at === 'dialing') return this.#opened(event.generation, now);
    if (event.on === 'event' && at === 'watching') return this.#event(event.event, now);
    if (event.on === 'ended' && at === 'watching') return this.#ended(now);
    return [];
  }

  #list(now: number, { refresh, whole }: Retry): ListWatchEffect[] {
    return this.#askForPage(now, { refresh, whole, pages: 0, slices: [], continueToken: undefined });
  }

  #askForPage(
    now: number,
    ask: Retry & { pages: number; slices: readonly EndpointSlice[]; continueToken: string | undefined },
  ): ListWatchEffect[] {
    const { refresh, whole, pages, slices, continueToken } = ask;
    const generation = this.#nextGeneration();
    this.#state = { at: 'listing', generation, deadline: now + this.#options.requestMs, whole, pages, slices };
    return [{ do: 'list', generation, refresh, limit: whole ? undefined : PAGE_SIZE, continueToken }];
  }

  #watch(now: number, refresh: boolean): ListWatchEffect[] {
    const generation = this.#nextGeneration();
    this.#watches += 1;
    this.#state = { at: 'dialing', generation, deadline: now + this.#options.requestMs };
    const lastsMs = Math.min(this.#between(this.#options.watchMs), this.#relistAt - now);
    const timeoutSeconds = Math.max(1, Math.ceil(lastsMs / 1000));
    return [{ do: 'watch', generation, refresh, resourceVersion: this.#resourceVersion, timeoutSeconds }];
  }

  #page(page: ListPage, now: number): ListWatchEffect[] {
    if (this.#state.at !== 'listing') return [];
    this.#heard(now);
    const { whole, pages } = this.#state;
    const slices = [...this.#state.slices, ...page.slices];
    if (page.continueToken !== undefined) {
      if (pages + 1 < MAX_PAGES) {
        const { continueToken } = page;
        return this.#askForPage(now, { refresh: false, whole, pages: pages + 1, slices, continueToken });
      }
      return this.#failed({ kind: 'malformed', message: `the list did not end after ${MAX_PAGES} pages` }, now);
    }
    this.#resourceVersion = page.resourceVersion;
    this.#relistAt = now + this.#between(this.#options.relistMs);
    this.#relists += 1;
    return [{ do: 'replace', slices }, ...this.#watch(now, false)];
  }

  #opened(generation: number, now: number): ListWatchEffect[] {
    this.#heard(now);
    this.#state = { at: 'watching', generation, openedAt: now, held: false };
    return [];
  }

  #event(event: WatchEvent, now: number): ListWatchEffect[] {
    this.#heard(now);
    if (event.type === 'bookmark') {
      this.#resourceVersion = event.resourceVersion;
      return this.#checkHeld(HELD_WITH_EVENTS_MS, now);
    }
    this.#resourceVersion = event.slice.resourceVersion;
    return [{ do: event.type, slice: event.slice }, ...this.#checkHeld(HELD_WITH_EVENTS_MS, now)];
  }

  #ended(now: number): ListWatchEffect[] {
    if (now >= this.#relistAt) return this.#list(now, CALM);
    const attempt = this.#attempt;
    this.#attempt += 1;
    if (attempt === 0) return this.#watch(now, false);
    const until = now + backoffMs(attempt, this.#options.random(), this.#options.backoff);
    this.#state = { at: 'backoff', until, next: 'watch', retry: CALM };
    return [];
  }

  #failed(failure: Failure, now: number): ListWatchEffect[] {
    const situation = { phase: this.#phase(), attempt: this.#attempt, unauthorized: this.#unauthorized };
    const remedy = remedyFor(failure, situation, this.#options.random(), this.#options.backoff);
    this.#failing = true;
    this.#attempt += 1;
    this.#unauthorized = failure.status === 401 ? this.#unauthorized + 1 : 0;
    const effects: ListWatchEffect[] = [{ do: 'cancel' }, { do: 'report', failure, retryMs: remedy.delayMs }];
    this.#state = { at: 'backoff', until: now + remedy.delayMs, next: remedy.next, retry: remedy };
    return remedy.delayMs === 0 ? [...effects, ...this.#tick(now)] : effects;
  }

  #phase(): Phase {
    if (this.#state.at === 'listing') return this.#state.pages === 0 ? 'list' : 'page';
    return 'watch';
  }

  #tick(now: number): ListWatchEffect[] {
    const state = this.#state;
    if (state.at === 'watching') return this.#tickWatch(state.openedAt, now);
    if (state.at === 'backoff' && now >= state.until) {
      return state.next === 'list' ? this.#list(now, state.retry) : this.#watch(now, state.retry.refresh);
    }
    if ((state.at === 'listing' || state.at === 'dialing') && now >= state.deadline) {
      const seconds = this.#options.requestMs / 1000;
      return this.#failed({ kind: 'silent', message: `no answer within ${seconds} s` }, now);
    }
    return [];
  }

  #tickWatch(openedAt: number, now: number): ListWatchEffect[] {
    if (now >= this.#silentAt(openedAt)) {
      const seconds = this.#options.inactivityMs / 1000;
      return this.#failed({ kind: 'silent', message: `the watch told nothing for ${seconds} s` }, now);
    }
    if (now >= this.#relistAt + RELIST_GRACE_MS) return [{ do: 'cancel' }, ...this.#list(now, CALM)];
    return this.#checkHeld(HELD_QUIET_MS, now);
  }

  /** A watch that has held ends the row of failures. */
  #checkHeld(afterMs: number, now: number): ListWatchEffect[] {
    const state = this.#state;
    if (state.at !== 'watching' || state.held || now < state.openedAt + afterMs) return [];
    this.#state = { ...state, held: true };
    this.#attempt = 0;
    if (!this.#failing) return [];
    this.#failing = false;
    return [{ do: 'recovered' }];
  }

  #silentAt(openedAt: number): number {
    return Math.max(openedAt, this.#heardAt ?? 0) + this.#options.inactivityMs;
  }

  #heard(now: number): void {
    this.#heardAt = now;
    this.#unauthorized = 0;
  }

  #nextGeneration(): number {
    this.#generation += 1;
    return this.#generation;
  }

  #between([min, max]: readonly [number, number]): number {
    return min + this.#options.random() * (max - min);
  }
}
