/**
 * Planted faults, for tests: all that this backend does wrong or late on purpose stands in this file. With an empty plan
 * every function here does the plain thing.
 *
 * Counts run over all messages that this pod delivers. The faults lie: a message that was dropped or is held back for a
 * swap counts as delivered to whoever sent it, because that is what a ledger at the other end must be able to see.
 */
import type { Hand, Message, Subscriber, Subscription } from './broker.ts';

/** 0 is off everywhere. The plan of a running backend may be changed at any time; it is read at each use. */
export interface FaultPlan {
  /** Each published message waits so long before it is looked for a receiver; order is kept. */
  delayMs: number;
  /** CONNECTED comes so much later. */
  connectDelayMs: number;
  /** The pod dies like under kill -9 when so many messages have been delivered, before their senders are answered. */
  crashAfter: number;
  /** Each Nth message is lost. */
  dropEvery: number;
  /** Each Nth message is delivered twice. */
  duplicateEvery: number;
  /** Each Nth message is delivered after its successor on the same subscription. */
  swapEvery: number;
  /** A session that was delivered so many messages gets an ERROR and is closed. */
  sendErrorAfter: number;
  /** Only DISCONNECT gets a receipt, as from Spring's simple broker. */
  noReceipts: boolean;
  /** CONNECT is answered by ERROR. */
  refuseConnect: boolean;
  /** A session is closed with 1011 so long after CONNECTED. */
  dropAfterMs: number;
  /** HTTP status that answers upgrades, 400-599. */
  refuseUpgrade: number;
  /** WebSocket close code at shutdown; 1006 cuts the connection without one. Default 1001, as Spring sends it. */
  closeCode: number;
}

export const NO_FAULTS: Readonly<FaultPlan> = {
  delayMs: 0,
  connectDelayMs: 0,
  crashAfter: 0,
  dropEvery: 0,
  duplicateEvery: 0,
  swapEvery: 0,
  sendErrorAfter: 0,
  noReceipts: false,
  refuseConnect: false,
  dropAfterMs: 0,
  refuseUpgrade: 0,
  closeCode: 1001,
};

/** A message that waits for its successor goes alone after this time, so that a swap never turns into a loss. */
const SWAP_WAIT_MS = 1000;
/** With more than this waiting in a delay the oldest goes early: a planted fault must not fill the memory. */
const MAX_DELAYED = 10_000;

interface Held {
  readonly message: Message;
  readonly timer: NodeJS.Timeout;
}

interface Delayed {
  readonly due: number;
  readonly task: () => void;
}

export class Faults {
  readonly plan: FaultPlan;
  readonly #crash: () => void;
  readonly #held = new Map<Subscription, Held>();
  readonly #perSubscriber = new WeakMap<Subscriber, number>();
  readonly #delayed: Delayed[] = [];
  #delayTimer: NodeJS.Timeout | undefined;
  #messages = 0;
  #delivered = 0;

  /** `crash` ends the pod at once. */
  constructor(plan: FaultPlan, crash: () => void) {
    this.plan = plan;
    this.#crash = crash;
  }

  /** How the broker hands messages over. */
  readonly hand: Hand = (subscription, message) => {
    this.#messages += 1;
    const before = this.#release(subscription);
    if (this.#isNth(this.plan.dropEvery)) return true;
    if (before === undefined && this.#isNth(this.plan.swapEvery)) return this.#hold(subscription, message);
    const handed = this.#deliver(subscription, message);
    if (this.#isNth(this.plan.duplicateEvery)) this.#deliver(subscription, message);
    if (before !== undefined) this.#deliver(subscription, before);
    return handed;
  };

  /** Runs a task after `delayMs`, in the order of the calls; at once when there is no delay. */
  later(task: () => void): void {
    if (this.plan.delayMs === 0 && this.#delayed.length === 0) {
      task();
      return;
    }
    this.#delayed.push({ due: performance.now() + this.plan.delayMs, task });
    if (this.#delayed.length > MAX_DELAYED) this.#delayed.shift()?.task();
    this.#delayTimer ??= setTimeout(() => this.#runDue(), this.plan.delayMs);
  }

  /** Does at once what still waits: the end of a pod that shuts down in order. */
  flush(): void {
    const delayed = this.#delayed.splice(0);
    for (const { task } of delayed) task();
    for (const [subscription, { message }] of [...this.#held]) {
      this.#release(subscription);
      this.#deliver(subscription, message);
    }
    this.discard();
  }

  /** Forgets what still waits: the end of a pod that dies. */
  discard(): void {
    clearTimeout(this.#delayTimer);
    this.#delayTimer = undefined;
    this.#delayed.length = 0;
    for (const { timer } of this.#held.values()) clearTimeout(timer);
    this.#held.clear();
  }

  #isNth(every: number): boolean {
    return every > 0 && this.#messages % every === 0;
  }

  #deliver(subscription: Subscription, message: Message): boolean {
    if (!subscription.deliver(message)) return false;
    this.#delivered += 1;
    if (this.#delivered === this.plan.crashAfter) this.#crash();
    this.#endSubscriber(subscription.subscriber);
    return true;
  }

  #endSubscriber(subscriber: Subscriber): void {
    if (this.plan.sendErrorAfter === 0) return;
    const count = (this.#perSubscriber.get(subscriber) ?? 0) + 1;
    this.#perSubscriber.set(subscriber, count);
    if (count === this.plan.sendErrorAfter) {
      subscriber.fail('planted error', `--send-error-after: this session was delivered ${count} messages.`);
    }
  }

  #hold(subscription: Subscription, message: Message): boolean {
    const timer = setTimeout(() => {
      this.#release(subscription);
      this.#deliver(subscription, message);
    }, SWAP_WAIT_MS);
    this.#held.set(subscription, { message, timer });
    return true;
  }

  #release(subscription: Subscription): Message | undefined {
    const held = this.#held.get(subscription);
    clearTimeout(held?.timer);
    this.#held.delete(subscription);
    return held?.message;
  }

  /** One after the other: what has a shorter delay, because the plan changed, still waits for what came before. */
  #runDue(): void {
    this.#delayTimer = undefined;
    const now = performance.now();
    while ((this.#delayed[0]?.due ?? Infinity) <= now) this.#delayed.shift()?.task();
    const next = this.#delayed[0];
    if (next !== undefined) this.#delayTimer = setTimeout(() => this.#runDue(), Math.max(1, next.due - now));
  }
}
