/**
 * The registry of subscriptions of this pod, and delivery to them. It knows nothing of STOMP and sockets: an address is
 * a key (destinations.ts), a subscription is something that a message can be handed to.
 */

/** A message before it became frames: one MESSAGE frame is made of it for each subscription. */
export interface Message {
  /** As the subscriber wrote it, e.g. `/user/queue/x`. */
  readonly destination: string;
  /** Headers that are passed on (content-type, holdfast-id, …), in order. */
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: Uint8Array;
}

export interface Subscriber {
  /** Ends the subscriber with an error of this text. */
  fail(message: string, detail: string): void;
}

export interface Subscription {
  readonly subscriber: Subscriber;
  /** Hands the message to the subscriber's socket; false when it could not be taken any more. */
  deliver(message: Message): boolean;
}

/** How a message gets to one subscription: true when it was handed over. The faults of tests stand here. */
export type Hand = (subscription: Subscription, message: Message) => boolean;

export class Broker {
  readonly #subscriptions = new Map<string, Set<Subscription>>();
  readonly #hand: Hand;

  constructor(hand: Hand) {
    this.#hand = hand;
  }

  /** How many addresses have a subscription. */
  get addresses(): number {
    return this.#subscriptions.size;
  }

  /** From the return of this call on, every message published to the address reaches the subscription. */
  add(address: string, subscription: Subscription): void {
    const there = this.#subscriptions.get(address);
    if (there === undefined) this.#subscriptions.set(address, new Set([subscription]));
    else there.add(subscription);
  }

  remove(address: string, subscription: Subscription): void {
    const there = this.#subscriptions.get(address);
    there?.delete(subscription);
    if (there?.size === 0) this.#subscriptions.delete(address);
  }

  /** Hands the message to every subscription of the address; answers how many subscribers got it. */
  publish(address: string, message: Message): number {
    const reached = new Set<Subscriber>();
    // A copy, because a delivery can end its subscriber, which removes subscriptions.
    for (const subscription of [...(this.#subscriptions.get(address) ?? [])]) {
      if (this.#hand(subscription, message)) reached.add(subscription.subscriber);
    }
    return reached.size;
  }
}
