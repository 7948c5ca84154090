/**
 * The MESSAGEs of one session that wait for their ACK or NACK. This backend only checks the ids and never delivers a
 * message again: it has no queues that a message could go back to.
 */
import { Refusal } from './refusal.ts';

/** `client` is cumulative, `client-individual` is not (STOMP 1.2, "SUBSCRIBE ack Header"). */
export type AckMode = 'auto' | 'client' | 'client-individual';

/** Whose message it was: `key` names the subscription within its session. */
export interface Acknowledger {
  readonly key: string;
  readonly ack: AckMode;
}

export class Acknowledgements {
  /** In order of delivery, which is what a cumulative ACK counts by. */
  readonly #waiting = new Map<string, Acknowledger>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#waiting.size;
  }

  /** Notes a delivered message. False, and nothing noted, when `max` messages already wait. */
  expect(id: string, subscription: Acknowledger): boolean {
    if (this.#waiting.size >= this.#max) return false;
    this.#waiting.set(id, subscription);
    return true;
  }

  /** Takes an ACK or NACK. `key` (ACK of STOMP 1.1 names its subscription) must fit when given. Throws a Refusal. */
  settle(id: string, key?: string): void {
    const subscription = this.#waiting.get(id);
    if (subscription === undefined || (key !== undefined && key !== subscription.key)) {
      throw new Refusal('unknown acknowledgement', `No message waits for an acknowledgement with the id ${id}.`);
    }
    if (subscription.ack === 'client') this.#settleUpTo(id, subscription);
    else this.#waiting.delete(id);
  }

  /** The subscription ended: its messages cannot be acknowledged any more. */
  forget(key: string): void {
    for (const [id, subscription] of this.#waiting) if (subscription.key === key) this.#waiting.delete(id);
  }

  #settleUpTo(last: string, { key }: Acknowledger): void {
    for (const [id, subscription] of this.#waiting) {
      if (subscription.key === key) this.#waiting.delete(id);
      if (id === last) return;
    }
  }
}
