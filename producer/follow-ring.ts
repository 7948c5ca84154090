/**
 * Rings learnt from a proxy: one open `GET /v1/ring` stream, opened again whenever it ends. The last good rings are kept
 * for ever (static stability): a producer that cannot reach any proxy goes on with what it knows, and pods that have
 * moved meanwhile say so themselves.
 */
import { type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import { type Backoff, fullJitterMs } from './backoff.ts';
import { type Clock, type Random, systemClock } from './clock.ts';
import { type Log, silentLog } from './log.ts';
import { readRing } from './ring-json.ts';
import { type RingSnapshot, type RingSource, ringsVersion } from './ring-source.ts';
import { EventStream } from './sse.ts';

export interface FollowOptions {
  /** Sent with each request: an Authorization for a mesh, say. */
  readonly headers?: Readonly<Record<string, string>>;
  /** A stream without any byte for this long is dead. Default 45 s: three of the proxy's beats. */
  readonly silenceMs?: number;
  readonly log?: Log;
  readonly clock?: Clock;
  readonly random?: Random;
}

export interface FollowStatus {
  readonly connected: boolean;
  /** Tries to connect or to read that failed, in all. */
  readonly failures: number;
  readonly lastError: string | undefined;
}

export interface FollowedRing extends RingSource {
  /** Resolves with the first good rings; rejects when closed before. */
  ready(): Promise<RingSnapshot>;
  status(): FollowStatus;
}

/** Quick at first, as a proxy is restarted in seconds; all producers of a house return spread over the cap. */
export const RECONNECT_BACKOFF: Backoff = { baseMs: 250, capMs: 10_000 };
const SILENCE_MS = 45_000;
/** The most pods that a ring can have, with long names, twice, and much room. */
const MAX_EVENT_CHARACTERS = 8 * 1024 * 1024;

/** Follows the rings of the proxy at `url` (`http://proxy:9090/v1/ring`). Throws TypeError when that is no http(s) URL. */
export function followRing(url: string | URL, options: FollowOptions = {}): FollowedRing {
  return new RingFollower(new URL(url), options);
}

class RingFollower implements FollowedRing {
  readonly #url: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #silenceMs: number;
  readonly #log: Log;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #ready = Promise.withResolvers<RingSnapshot>();
  #snapshot: RingSnapshot | undefined;
  #failures = 0;
  #failuresInARow = 0;
  #lastError: string | undefined;
  #connected = false;
  #closed = false;
  #stopWaiting: () => void = () => {};
  #abort = new AbortController();

  constructor(url: URL, options: FollowOptions) {
    if (url.protocol !== 'http:' && url.protocol !== 'https:')
      throw new TypeError(`${url.protocol} is not http or https`);
    this.#url = url;
    this.#headers = { ...options.headers, accept: 'text/event-stream' };
    this.#silenceMs = options.silenceMs ?? SILENCE_MS;
    this.#log = options.log ?? silentLog;
    this.#clock = options.clock ?? systemClock;
    this.#random = options.random ?? Math.random;
    this.#ready.promise.catch(() => {}); // closing before the first ring is no error unless somebody asked `ready`
    this.#connect();
  }

  current(): RingSnapshot | undefined {
    return this.#snapshot;
  }

  ready(): Promise<RingSnapshot> {
    return this.#ready.promise;
  }

  status(): FollowStatus {
    return { connected: this.#connected, failures: this.#failures, lastError: this.#lastError };
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#connected = false;
    this.#stopWaiting();
    this.#abort.abort();
    this.#ready.reject(new Error('closed before the proxy told a ring'));
  }

  #connect(): void {
    this.#abort = new AbortController();
    const send = this.#url.protocol === 'https:' ? requestHttps : requestHttp;
    const request = send(this.#url, { headers: this.#headers, signal: this.#abort.signal, agent: false });
    let over = false;
    const fail = (error: Error) => {
      if (over) return;
      over = true;
      this.#stopWaiting();
      request.destroy();
      this.#failed(error);
    };
    const alive = () => this.#expectLife(fail);
    alive();
    request.on('error', fail);
    request.on('response', (response) => this.#read(response, alive, fail));
    request.end();
  }

  #expectLife(fail: (error: Error) => void): void {
    this.#stopWaiting();
    const silent = () => fail(new Error(`nothing heard for ${this.#silenceMs} ms`));
    this.#stopWaiting = this.#clock.after(this.#silenceMs, silent);
  }

  #read(response: IncomingMessage, alive: () => void, fail: (error: Error) => void): void {
    response.on('error', fail);
    response.on('close', () => fail(new Error('the proxy ended the stream')));
    const wrong = whyNoStream(response);
    if (wrong !== undefined) {
      fail(new Error(wrong));
      return;
    }
    const stream = new EventStream(MAX_EVENT_CHARACTERS);
    response.on('data', (chunk: Buffer) => {
      alive();
      try {
        for (const { event, data } of stream.push(chunk)) if (event === 'ring') this.#learn(data);
      } catch (error) {
        fail(error instanceof Error ? error : new Error(String(error)));
      }
    });
  }

  #learn(data: string): void {
    const before = this.#snapshot;
    const snapshot = readRing(data, before);
    this.#snapshot = snapshot;
    this.#connected = true;
    this.#failuresInARow = 0;
    this.#lastError = undefined;
    this.#ready.resolve(snapshot);
    if (before !== undefined && ringsVersion(before) === ringsVersion(snapshot)) return;
    const { committed, target } = snapshot;
    this.#log.info({ ring: committed.version, target: target.version, pods: committed.keys.length }, 'ring learnt');
  }

  #failed(error: Error): void {
    if (this.#closed) return;
    this.#connected = false;
    this.#failures += 1;
    this.#lastError = error.message;
    const retryMs = fullJitterMs(this.#failuresInARow, this.#random, RECONNECT_BACKOFF);
    this.#failuresInARow += 1;
    this.#log.warn({ error: error.message, retryMs, ring: this.#snapshot?.committed.version }, 'ring stream lost');
    this.#stopWaiting = this.#clock.after(retryMs, () => this.#connect());
  }
}

function whyNoStream({ statusCode, headers }: IncomingMessage): string | undefined {
  if (statusCode !== 200) return `the proxy answered status ${statusCode}`;
  const type = headers['content-type'] ?? 'none';
  return type.startsWith('text/event-stream') ? undefined : `not an event stream, but content type ${type}`;
}
