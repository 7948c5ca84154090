/**
 * The list-watch machine against a simulated API server in virtual time: an hour of random faults, then calm. While it lasts: never
 * two requests at a time, and never more of them than the backoff allows. After it: the store is what the server has, within a
 * bounded time. A failing run prints its seed.
 */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type EndpointSlice, readSlice } from '../../proxy/discovery/endpoint-slice.ts';
import type { Failure } from '../../proxy/discovery/failure.ts';
import { LIST_WATCH_DEFAULTS, ListWatch } from '../../proxy/discovery/list-watch.ts';
import type { ListWatchEffect, ListWatchEvent } from '../../proxy/discovery/list-watch-events.ts';
import { SliceStore } from '../../proxy/discovery/slice-store.ts';

const RUNS = Number(process.env['HOLDFAST_PROPERTY_RUNS'] ?? 200);
const FAULTS_MS = 3_600_000;
/** The slowest way back is from a watch that lost an event without a trace: the regular list, at most 605 s after the last one. */
const CALM_MS = 800_000;

const FAILURES: Failure[] = [
  { kind: 'network', message: 'cut' },
  { kind: 'tls', message: 'tls' },
  { kind: 'malformed', message: 'malformed' },
  ...[401, 403, 404, 410, 429, 500, 503].map((status): Failure => ({ kind: 'http', status, message: `${status}` })),
  { kind: 'http', status: 429, message: 'wait', retryAfterMs: 60_000 },
  { kind: 'http', status: 504, message: 'behind', versionTooLarge: true },
];

/** A small generator of its own (mulberry32), so that one seed is one run. */
function randomOf(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296;
  };
}

interface Watch {
  from: number;
  silent: boolean;
  bookmarkedAt: number;
  readonly endsAt: number;
  /** Loses events without a trace: what the regular list is for. */
  readonly lossy: boolean;
}

type Request = Extract<ListWatchEffect, { generation: number }>;

class Simulation {
  readonly random: () => number;
  readonly machine: ListWatch;
  readonly store = new SliceStore();
  now = 0;
  requests = 0;
  failures = 0;
  #version = 100;
  #truth = new Map<string, EndpointSlice>();
  #history: { version: number; slice: EndpointSlice; gone: boolean }[] = [];
  /** The request in flight, and the watch that it became. */
  #request: Request | undefined;
  #watch: Watch | undefined;
  #calm = false;

  constructor(seed: number) {
    this.random = randomOf(seed);
    this.machine = new ListWatch({ ...LIST_WATCH_DEFAULTS, random: this.random });
  }

  run(): void {
    this.#send({ on: 'start' });
    while (this.now < FAULTS_MS) this.#step();
    this.#calm = true;
    const requests = this.requests;
    while (this.now < FAULTS_MS + CALM_MS) this.#step();
    expect(this.requests - requests).toBeLessThan(30);
    const told = this.store.all().map(({ slice }) => `${slice.name}@${slice.resourceVersion}`);
    expect(told.sort()).toEqual(
      [...this.#truth.values()].map((slice) => `${slice.name}@${slice.resourceVersion}`).sort(),
    );
    expect(this.machine.facts.failing).toBe(false);
  }

  /** Up to a second of virtual time, to the next deadline of the machine at the most; then the server does something. */
  #step(): void {
    this.now = Math.min(this.now + 1 + this.random() * 1_000, Math.max(this.now, this.machine.nextDeadline()));
    this.#send({ on: 'tick' });
    if (!this.#calm && this.random() < 0.05) this.#change();
    if (this.#request !== undefined) this.#serve(this.#request);
  }

  #change(): void {
    this.#version += 1;
    const name = `s${Math.floor(this.random() * 5)}`;
    const slice = readSlice({ metadata: { name, resourceVersion: `${this.#version}` }, addressType: 'IPv4' });
    const gone = this.#truth.has(name) && this.random() < 0.3;
    if (gone) this.#truth.delete(name);
    else this.#truth.set(name, slice);
    this.#history.push({ version: this.#version, slice, gone });
    if (this.random() < 0.05) this.#history = [];
  }

  #serve(request: Request): void {
    const { generation } = request;
    if (!this.#calm && this.random() < 0.2) return this.#misbehave(generation);
    if (this.#watch !== undefined) return this.#deliver(generation, this.#watch);
    if (request.do === 'list') return this.#page(generation);
    return this.#open(generation, Number(request.resourceVersion), request.timeoutSeconds);
  }

  #misbehave(generation: number): void {
    const kind = this.random();
    if (kind < 0.3 && this.#watch !== undefined) this.#watch.silent = true;
    else if (kind < 0.5) return;
    else {
      this.failures += 1;
      const failure = FAILURES[Math.floor(this.random() * FAILURES.length)] as Failure;
      this.#send({ on: 'failed', generation, failure });
    }
  }

  #page(generation: number): void {
    const slices = [...this.#truth.values()];
    this.#send({
      on: 'page',
      generation,
      page: { slices, resourceVersion: `${this.#version}`, continueToken: undefined },
    });
  }

  #open(generation: number, from: number, timeoutSeconds: number): void {
    const oldest = this.#history[0]?.version ?? this.#version + 1;
    if (from < oldest - 1 && from < this.#version) {
      this.failures += 1;
      return this.#send({ on: 'failed', generation, failure: { kind: 'http', status: 410, message: '410' } });
    }
    const lossy = !this.#calm && this.random() < 0.02;
    this.#watch = { from, silent: false, bookmarkedAt: this.now, endsAt: this.now + timeoutSeconds * 1000, lossy };
    this.#send({ on: 'opened', generation });
  }

  #deliver(generation: number, watch: Watch): void {
    if (watch.silent) return;
    if (this.now >= watch.endsAt || (!this.#calm && this.random() < 0.02))
      return this.#send({ on: 'ended', generation });
    const next = this.#history.find((event) => event.version > watch.from);
    if (next !== undefined) {
      watch.from = next.version;
      if (watch.lossy && this.random() < 0.1) return;
      const slice = { ...next.slice, resourceVersion: `${next.version}` };
      return this.#send({ on: 'event', generation, event: { type: next.gone ? 'remove' : 'put', slice } });
    }
    if (this.now < watch.bookmarkedAt + 60_000) return;
    watch.bookmarkedAt = this.now;
    this.#send({ on: 'event', generation, event: { type: 'bookmark', resourceVersion: `${this.#version}` } });
  }

  #send(event: ListWatchEvent): void {
    if (event.on === 'ended' || event.on === 'page') this.#over();
    for (const effect of this.machine.handle(event, this.now)) this.#perform(effect);
  }

  #over(): void {
    this.#request = undefined;
    this.#watch = undefined;
  }

  #perform(effect: ListWatchEffect): void {
    if (effect.do === 'cancel') return this.#over();
    if (effect.do === 'list' || effect.do === 'watch') {
      expect(this.#request, 'two requests at a time').toBeUndefined();
      this.#request = effect;
      this.requests += 1;
    } else if (effect.do === 'replace') this.store.replace(effect.slices);
    else if (effect.do === 'put' || effect.do === 'remove') this.store[effect.do](effect.slice);
  }
}

it('finds back to the truth after an hour of faults', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const simulation = new Simulation(seed);
      simulation.run();
      expect(simulation.failures).toBeGreaterThan(100);
    }),
    { numRuns: RUNS },
  );
});

it('asks less than once a second in an outage, however it shows', () => {
  for (const failure of FAILURES) {
    const random = randomOf(7);
    const machine = new ListWatch({ ...LIST_WATCH_DEFAULTS, random });
    let requests = 0;
    let now = 0;
    let effects = machine.handle({ on: 'start' }, now);
    while (now < 600_000) {
      const request = effects.find((effect) => effect.do === 'list' || effect.do === 'watch');
      if (request === undefined) {
        now = Math.max(now, machine.nextDeadline());
        effects = machine.handle({ on: 'tick' }, now);
      } else {
        requests += 1;
        effects = machine.handle({ on: 'failed', generation: request.generation, failure }, now);
      }
    }
    expect(requests, failure.message).toBeLessThan(600 / 4);
  }
});
