/**
 * Messages as STOMP SENDs to `/user/{user}{destination}`, over one service link per pod: a Spring application needs no
 * change for it, only a login that may send there.
 */
import { type Backoff, fullJitterMs } from './backoff.ts';
import { type Clock, type Random, systemClock } from './clock.ts';
import { type Log, silentLog } from './log.ts';
import { isHostPort } from './ring-json.ts';
import { ServiceLink } from './service-link.ts';
import { type Message, type PodAddress, type PostResult, type Transport, unreachable } from './transport.ts';

export interface StompTransportOptions {
  /** Of the pods' WebSocket endpoint. Default '/ws'. */
  readonly path?: string;
  /** wss instead of ws. Default false. */
  readonly secure?: boolean;
  /** Headers of CONNECT. `host` is the pod's when absent. */
  readonly login?: { readonly login?: string; readonly passcode?: string; readonly host?: string };
  /** Headers of the upgrade request. */
  readonly headers?: Readonly<Record<string, string>>;
  /**
   * Whether the pods answer receipts. Default true. Spring's simple broker does not: with false, `delivered` only means
   * that the message was written, `no session` is never heard, and so the owner on the ring must be right.
   */
  readonly receipts?: boolean;
  /** Messages on one link without their receipt. Default 1024. */
  readonly maxInFlight?: number;
  readonly log?: Log;
  readonly clock?: Clock;
  readonly random?: Random;
}

/** A pod that refuses is asked again soon after its restart, and not more than once in some seconds by each producer. */
export const REDIAL_BACKOFF: Backoff = { baseMs: 100, capMs: 5_000 };
const MAX_IN_FLIGHT = 1024;

/** Throws TypeError when `path` is not a path. */
export function stompTransport(options: StompTransportOptions = {}): Transport {
  const path = options.path ?? '/ws';
  if (!/^\/[^#\s]*$/.test(path)) throw new TypeError(`path must start with '/' and have no blanks: ${path}`);
  return new StompTransport(path, options);
}

class StompTransport implements Transport {
  readonly #path: string;
  readonly #options: StompTransportOptions;
  readonly #clock: Clock;
  /** By address: a pod that comes back under its name at another address is another one. */
  readonly #pods = new Map<string, PodLink>();
  #closed = false;

  constructor(path: string, options: StompTransportOptions) {
    this.#path = path;
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
  }

  async post(pod: PodAddress, message: Message, deadline: number): Promise<PostResult> {
    if (this.#closed) return unreachable('the transport is closed', false);
    if (!isHostPort(pod.address)) return unreachable('its address is not host:port', false);
    return this.#podLink(pod).post(message, deadline);
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all([...this.#pods.values()].map((pod) => pod.close()));
    this.#pods.clear();
  }

  #podLink(pod: PodAddress): PodLink {
    const known = this.#pods.get(pod.address);
    if (known !== undefined) return known;
    this.#forgetIdle();
    const made = new PodLink(pod, this.#path, this.#options, this.#clock);
    this.#pods.set(pod.address, made);
    return made;
  }

  /** Pods come and go under new addresses; those without a link and without a redial to wait for are forgotten. */
  #forgetIdle(): void {
    for (const [address, pod] of this.#pods) if (pod.forgettable) this.#pods.delete(address);
  }
}

/** The link to one pod, and the wait before the next one after a failure. Links are dialled when a message needs them. */
class PodLink {
  readonly #pod: PodAddress;
  readonly #path: string;
  readonly #options: StompTransportOptions;
  readonly #clock: Clock;
  #link: ServiceLink | undefined;
  #dialledAt = 0;
  #failures = 0;
  #redialAt = Number.NEGATIVE_INFINITY;
  #lastReason = '';

  constructor(pod: PodAddress, path: string, options: StompTransportOptions, clock: Clock) {
    this.#pod = pod;
    this.#path = path;
    this.#options = options;
    this.#clock = clock;
  }

  get forgettable(): boolean {
    return this.#link === undefined && this.#clock.now() >= this.#redialAt;
  }

  async post(message: Message, deadline: number): Promise<PostResult> {
    if (this.#link === undefined && this.#clock.now() < this.#redialAt) {
      return unreachable(`link down: ${this.#lastReason}`, false);
    }
    this.#link ??= this.#dial();
    return this.#link.post(message, deadline);
  }

  async close(): Promise<void> {
    await this.#link?.close();
  }

  #dial(): ServiceLink {
    const { secure = false, headers = {}, login = {}, receipts = true, maxInFlight = MAX_IN_FLIGHT } = this.#options;
    this.#dialledAt = this.#clock.now();
    return new ServiceLink({
      url: `${secure ? 'wss' : 'ws'}://${this.#pod.address}${this.#path}`,
      headers,
      connect: { ...login },
      receipts,
      maxInFlight,
      clock: this.#clock,
      onEnd: (reason, failed) => this.#ended(reason, failed),
    });
  }

  #ended(reason: string, failed: boolean): void {
    this.#link = undefined;
    if (!failed) return;
    const now = this.#clock.now();
    this.#lastReason = reason;
    // Only a link that lasted shows that the pod is well; one that is cut right after CONNECTED must not be redialled at once.
    if (now - this.#dialledAt > REDIAL_BACKOFF.capMs) this.#failures = 0;
    const redialMs = fullJitterMs(this.#failures, this.#options.random ?? Math.random, REDIAL_BACKOFF);
    this.#failures += 1;
    this.#redialAt = now + redialMs;
    (this.#options.log ?? silentLog).info({ pod: this.#pod.name, reason, redialMs }, 'service link ended');
  }
}
