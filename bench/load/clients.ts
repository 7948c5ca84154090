/** The users of the bench, all in one process: what they do, and what of it is measured. */
import { createHistogram, type RecordableHistogram } from 'node:perf_hooks';
import type { Frame } from '../../stomp/index.ts';
import type { Sent } from './backend.ts';
import { BenchClient, type ClientHandlers } from './client.ts';
import { clockMicros, clockMs } from './clock.ts';
import { type Faults, type Lane, NO_FAULTS, sumOf } from './lane.ts';
import type { Kind } from './numbered.ts';
import { Pacer } from './pacer.ts';

/** In ms. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** What was measured since the last mark. */
export interface Span {
  readonly ms: number;
  /** Messages that have come in. */
  readonly received: number;
  /** From the write of a message to its arrival; of echoes there and back. */
  readonly latency: Latency;
}

export interface ClientsCalls {
  /**
   * Opens users one by one, `concurrency` at a time, at these addresses in turn. Resolves when all are CONNECTED.
   * `took`: of each from dialling to CONNECTED.
   */
  open(what: OpenCall): Promise<{ readonly ms: number; readonly took: Latency }>;
  /** All subscribe; resolves when receipts have proven it. With `notices` to /holdfast/session too. */
  subscribe(what: { readonly notices: boolean }): Promise<void>;
  /** Ends a span and begins the next, in which one message in `timedEvery` is timed. */
  mark(what: { readonly timedEvery: number }): Span;
  /** Echoes: so many a second in all, or (null) each user the next one as soon as the last is back. */
  echo(load: { readonly perSecond: number | null }): void;
  /** No more echoes. Resolves when all that is to come has come, or nothing has for a while; tells what is wrong with it. */
  settle(what: { readonly sent: readonly Sent[] }): Promise<Faults>;
  /** Resolves when so many messages of that kind have come since `mark`; tells when each user's first one came (clock, ms). */
  firsts(what: { readonly kind: 'hello' | 'notice'; readonly count: number }): Promise<Firsts>;
  close(nothing: null): Promise<void>;
}

export interface OpenCall {
  readonly addresses: readonly string[];
  readonly users: readonly number[];
  readonly concurrency: number;
}

export interface Firsts {
  readonly atMs: readonly number[];
  /** Of notices: the gap that the proxy tells of, in ms. */
  readonly gapMs: readonly number[];
}

/** With nothing coming in for so long, nothing more comes. */
const QUIET_MS = 3_000;
/** How often it is looked whether all has come. */
const LOOK_MS = 20;
/** For what a stuck proxy would never answer. */
const ANSWER_MAX_MS = 120_000;
const US_PER_MS = 1000;

export class Clients implements ClientsCalls, ClientHandlers {
  readonly #clients: BenchClient[] = [];
  readonly #pacer = new Pacer(clockMs);
  readonly #failed = Promise.withResolvers<never>();
  #latency = newHistogram();
  #sinceMs = clockMs();
  #received = 0;
  #firstAtMs = { hello: new Map<number, number>(), notice: new Map<number, number>() };
  #gapsMs: number[] = [];
  #loops = false;
  #timedEvery = 1;
  /** Looks, after each first message, whether enough have come. */
  #onFirst: () => void = () => {};

  constructor() {
    this.#failed.promise.catch(() => {}); // whoever waits for something hears of it
  }

  async open({ addresses, users, concurrency }: OpenCall): Promise<{ ms: number; took: Latency }> {
    const sinceMs = clockMs();
    const took = newHistogram();
    const left = users.map((user, index) => ({ user, address: addresses[index % addresses.length] ?? '' }));
    const worker = async () => {
      for (let next = left.shift(); next !== undefined; next = left.shift()) {
        const dialledAt = clockMicros();
        this.#clients.push(await BenchClient.open(next.address, next.user, this));
        took.record(Math.max(1, clockMicros() - dialledAt));
      }
    };
    const workers = Array.from({ length: Math.min(concurrency, users.length) }, worker);
    await this.#within(Promise.all(workers), () => `${this.#clients.length} of ${users.length} users are connected`);
    return { ms: clockMs() - sinceMs, took: latencyOf(took) };
  }

  async subscribe({ notices }: { readonly notices: boolean }): Promise<void> {
    const all = this.#clients.map((client) => client.subscribe('/user/queue/bench', '0'));
    if (notices) all.push(...this.#clients.map((client) => client.subscribe('/holdfast/session', '1')));
    await this.#within(Promise.all(all), () => 'not all subscriptions are live');
  }

  mark({ timedEvery }: { readonly timedEvery: number }): Span {
    this.#timedEvery = timedEvery;
    const now = clockMs();
    const span = { ms: now - this.#sinceMs, received: this.#received, latency: latencyOf(this.#latency) };
    this.#latency = newHistogram();
    this.#sinceMs = now;
    this.#received = 0;
    this.#firstAtMs = { hello: new Map(), notice: new Map() };
    this.#gapsMs = [];
    return span;
  }

  echo({ perSecond }: { readonly perSecond: number | null }): void {
    this.#loops = perSecond === null;
    if (perSecond === null) {
      for (const client of this.#clients) client.echo();
      return;
    }
    let next = 0;
    this.#pacer.start(perSecond, (count) => {
      for (let i = 0; i < count; i++) this.#clients[next++ % this.#clients.length]?.echo();
    });
  }

  async settle({ sent }: { readonly sent: readonly Sent[] }): Promise<Faults> {
    this.#loops = false;
    this.#pacer.stop();
    const counts = new Map(sent);
    const isDone = () =>
      this.#clients.every(
        ({ user, pushed, echoed, sent: echoes }) =>
          isComplete(pushed, counts.get(user) ?? 0) && isComplete(echoed, echoes),
      );
    for (let before = -1, quietSinceMs = clockMs(); !isDone() && clockMs() - quietSinceMs < QUIET_MS; ) {
      if (this.#received !== before) quietSinceMs = clockMs();
      before = this.#received;
      await Promise.race([pause(LOOK_MS), this.#failed.promise]);
    }
    return sumOf(this.#clients.map((client) => faultsOf(client, counts.get(client.user) ?? 0)));
  }

  async firsts({ kind, count }: { readonly kind: 'hello' | 'notice'; readonly count: number }): Promise<Firsts> {
    const came = this.#firstAtMs[kind];
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onFirst = () => {
      if (came.size >= count) resolve();
    };
    this.#onFirst();
    await this.#within(promise, () => `${came.size} of ${count} users have had a ${kind}`);
    return { atMs: [...came.values()], gapMs: this.#gapsMs };
  }

  async close(): Promise<void> {
    this.#pacer.stop();
    await Promise.all(this.#clients.map((client) => client.close()));
    this.#clients.length = 0;
  }

  message(client: BenchClient, kind: Kind, time: number, n: number): void {
    this.#received++;
    if (kind === 'hello') this.#first('hello', client);
    else if (n % this.#timedEvery === 0) this.#latency.record(Math.max(1, clockMicros() - time));
    if (kind === 'echo' && this.#loops) client.echo();
  }

  other(client: BenchClient, frame: Frame): void {
    this.#first('notice', client);
    const { gapMs } = JSON.parse(Buffer.from(frame.body).toString()) as { gapMs?: number };
    if (gapMs !== undefined) this.#gapsMs.push(gapMs);
  }

  failed({ user }: BenchClient, why: string): void {
    this.#failed.reject(new Error(`the connection of u${user} has failed: ${why}`));
  }

  #first(kind: 'hello' | 'notice', { user }: BenchClient): void {
    const firsts = this.#firstAtMs[kind];
    if (firsts.has(user)) return;
    firsts.set(user, clockMs());
    this.#onFirst();
  }

  async #within<T>(wait: Promise<T>, progress: () => string): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => reject(new Error(`after ${ANSWER_MAX_MS} ms ${progress()}`)), ANSWER_MAX_MS);
    try {
      return await Promise.race([wait, this.#failed.promise, late]);
    } finally {
      clearTimeout(timer);
    }
  }
}

function isComplete(lane: Lane, sent: number): boolean {
  return lane.next > sent && lane.holes === 0;
}

function faultsOf(client: BenchClient, pushed: number): Faults {
  const { unknown } = client;
  client.unknown = 0;
  return sumOf([client.pushed.settle(pushed), client.echoed.settle(client.sent), { ...NO_FAULTS, unknown }]);
}

function newHistogram(): RecordableHistogram {
  return createHistogram({ lowest: 1, highest: 600_000_000, figures: 3 });
}

function latencyOf(histogram: RecordableHistogram): Latency {
  const at = (percent: number) => histogram.percentile(percent) / US_PER_MS;
  return { p50: at(50), p99: at(99), p999: at(99.9), max: histogram.max / US_PER_MS };
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
