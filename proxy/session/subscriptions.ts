/**
 * What the client has subscribed to: enough to subscribe again on another link, byte for byte.
 *
 * The client's own header lines are kept raw and are sent again as they came; peers disagree on escapes, so nothing is
 * decoded and encoded again.
 */
import type { Frame } from '../../stomp/index.ts';
import type { LinkId } from './events.ts';
import type { Delivery } from './profile.ts';
import { SparseMap, SparseSet } from './sparse.ts';

export interface Subscription {
  /** The `id` header; in STOMP 1.0 it may be absent, then the destination names the subscription. */
  readonly key: string;
  /** The `subscription` header of its messages; undefined in STOMP 1.0 without an id. */
  readonly id: string | undefined;
  readonly destination: string;
  readonly frame: Frame;
  readonly delivery: Delivery;
  /** Set when it is not said on other links (the profile says so): the link that has it. */
  readonly onlyOn: LinkId | undefined;
  /** When it was said to a pod for the first time. */
  readonly saidAtMs: number;
}

/** A pod answers at most this late; an ERROR that comes later is about something else. */
const DOUBT_MS = 5_000;

export class Subscriptions {
  readonly #byKey = new SparseMap<string, Subscription>();
  /** Keys of those that a receipt has proven, and of those that a pod may have refused. */
  readonly #proven = new SparseSet<string>();
  readonly #doubted = new SparseSet<string>();

  get size(): number {
    return this.#byKey.size;
  }

  /**
   * A second SUBSCRIBE with a known id changes nothing here, as in Spring (brokers answer it with ERROR themselves).
   * @returns whether it is new
   */
  add(frame: Frame, how: { delivery: Delivery; onlyOn: LinkId | undefined }, now: number): boolean {
    const key = subscriptionKey(frame);
    const destination = frame.header('destination');
    if (key === undefined || destination === undefined || this.#byKey.has(key)) return false;
    this.#byKey.set(key, { key, id: frame.header('id'), destination, frame, ...how, saidAtMs: now });
    return true;
  }

  /** The one that a SUBSCRIBE or UNSUBSCRIBE names. */
  named(frame: Frame): Subscription | undefined {
    const key = subscriptionKey(frame);
    return key === undefined ? undefined : this.#byKey.get(key);
  }

  /** The one that a MESSAGE belongs to. */
  of(message: Frame): Subscription | undefined {
    const id = message.header('subscription');
    const byId = id === undefined ? undefined : this.#byKey.get(`id:${id}`);
    return byId ?? this.#byKey.get(`destination:${message.header('destination') ?? ''}`);
  }

  /** A pod has answered a receipt for it. */
  prove(key: string | undefined): void {
    if (key === undefined || !this.#byKey.has(key)) return;
    this.#proven.add(key);
    this.#doubted.delete(key);
  }

  /** A pod has said ERROR and goes on, as RabbitMQ does: it may have refused what was said to it just before. */
  doubt(now: number): void {
    for (const { key, saidAtMs } of this.#byKey.values()) {
      if (!this.#proven.has(key) && now - saidAtMs <= DOUBT_MS) this.#doubted.add(key);
    }
  }

  isDoubted(key: string): boolean {
    return this.#doubted.has(key);
  }

  /** A pod has refused the SUBSCRIBE; a second one with a known id says nothing of the first. */
  refused(subscribe: Frame): void {
    const key = subscriptionKey(subscribe);
    if (key !== undefined && this.#byKey.get(key)?.frame === subscribe) this.removeKey(key);
  }

  removeKey(key: string): Subscription | undefined {
    const subscription = this.#byKey.get(key);
    this.#byKey.delete(key);
    this.#proven.delete(key);
    this.#doubted.delete(key);
    return subscription;
  }

  /** Removes and returns the subscription that an UNSUBSCRIBE names. */
  remove(unsubscribe: Frame): Subscription | undefined {
    const key = subscriptionKey(unsubscribe);
    return key === undefined ? undefined : this.removeKey(key);
  }

  *frames(): Iterable<Frame> {
    for (const { frame } of this.#byKey.values()) yield frame;
  }

  [Symbol.iterator](): Iterator<Subscription> {
    return this.#byKey.values();
  }
}

/** STOMP 1.1 and 1.2 name a subscription by `id`; 1.0 may name it by `destination` alone. */
export function subscriptionKey(frame: Frame): string | undefined {
  const id = frame.header('id');
  if (id !== undefined) return `id:${id}`;
  const destination = frame.header('destination');
  return destination === undefined ? undefined : `destination:${destination}`;
}
