/**
 * What the client has subscribed to: enough to subscribe again on another link, byte for byte.
 *
 * The client's own header lines are kept raw and are sent again as they came; peers disagree on escapes, so nothing is
 * decoded and encoded again.
 */
import type { Frame } from '../../stomp/index.ts';

export interface Subscription {
  /** The `id` header; in STOMP 1.0 it may be absent, then the destination names the subscription. */
  readonly key: string;
  /** The `subscription` header of its messages; undefined in STOMP 1.0 without an id. */
  readonly id: string | undefined;
  readonly destination: string;
  readonly frame: Frame;
}

export class Subscriptions {
  readonly #byKey = new Map<string, Subscription>();
  get size(): number {
    return this.#byKey.size;
  }

  /** A second SUBSCRIBE with a known id changes nothing here, as in Spring (brokers answer it with ERROR themselves). */
  add(frame: Frame): void {
    const key = subscriptionKey(frame);
    const destination = frame.header('destination');
    if (key === undefined || destination === undefined || this.#byKey.has(key)) return;
    this.#byKey.set(key, { key, id: frame.header('id'), destination, frame });
  }

  /** Removes and returns the subscription that an UNSUBSCRIBE names. */
  remove(unsubscribe: Frame): Subscription | undefined {
    const key = subscriptionKey(unsubscribe);
    if (key === undefined) return undefined;
    const subscription = this.#byKey.get(key);
    this.#byKey.delete(key);
    return subscription;
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
