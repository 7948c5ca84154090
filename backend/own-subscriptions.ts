/** The subscriptions of one session, by the key that names each of them in its frames. */
import type { Version } from '../stomp/index.ts';
import type { Acknowledger } from './acknowledgements.ts';
import type { Broker, Subscription } from './broker.ts';
import { Refusal } from './refusal.ts';

export interface OwnSubscription extends Subscription, Acknowledger {
  /** As the client gave it; undefined for STOMP 1.0 clients that gave none. */
  readonly id: string | undefined;
  readonly destination: string;
  /** Where the broker has it. Undefined for what only the applications of this session answer: nobody else can send there. */
  readonly address: string | undefined;
}

export class OwnSubscriptions {
  readonly #byKey = new Map<string, OwnSubscription>();
  readonly #broker: Broker;
  readonly #max: number;

  constructor(broker: Broker, max: number) {
    this.#broker = broker;
    this.#max = max;
  }

  /** From here on messages reach it. Throws a Refusal for a key in use and past `max`. */
  add(subscription: OwnSubscription): void {
    const { key, address } = subscription;
    if (this.#byKey.has(key)) throw new Refusal('subscription id in use', `SUBSCRIBE: ${key} is subscribed already.`);
    if (this.#byKey.size >= this.#max) {
      throw new Refusal('too many subscriptions', `At most ${this.#max} subscriptions are taken in one session.`);
    }
    this.#byKey.set(key, subscription);
    if (address !== undefined) this.#broker.add(address, subscription);
  }

  /** Throws a Refusal for an unknown key. */
  remove(key: string): void {
    const subscription = this.#byKey.get(key);
    if (subscription === undefined) throw new Refusal('unknown subscription', `UNSUBSCRIBE: ${key} is not subscribed.`);
    this.#byKey.delete(key);
    if (subscription.address !== undefined) this.#broker.remove(subscription.address, subscription);
  }

  removeAll(): void {
    for (const key of [...this.#byKey.keys()]) this.remove(key);
  }

  /** Whether it is still subscribed: a message may have been on its way to it. */
  has(subscription: OwnSubscription): boolean {
    return this.#byKey.get(subscription.key) === subscription;
  }

  to(destination: string): OwnSubscription[] {
    return [...this.#byKey.values()].filter((subscription) => subscription.destination === destination);
  }
}

/** What names a subscription: the id, or in STOMP 1.0 without one the destination. Throws a Refusal when there is none. */
export function keyOf(
  command: string,
  id: string | undefined,
  destination: string | undefined,
  version: Version,
): string {
  const key = id ?? (version === '1.0' ? destination : undefined);
  if (key === undefined || key === '') throw new Refusal('missing header', `${command} needs a header id.`);
  return key;
}
