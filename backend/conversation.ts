/**
 * A STOMP session after CONNECTED: what each frame of the client does. Whatever a frame does wrong is thrown as a
 * Refusal, which ends the session (session.ts).
 */
import { encode, type Frame, frameOf, type HeaderInit, type Version } from '../stomp/index.ts';
import { Acknowledgements } from './acknowledgements.ts';
import type { Message, Subscriber } from './broker.ts';
import {
  ECHO_REPLY,
  type SendTarget,
  type SubscribeKind,
  sendTarget,
  subscribeKind,
  topicAddress,
  userAddress,
  WHOAMI_REPLY,
} from './destinations.ts';
import { ackMode, refuseUnsayable, required } from './headers.ts';
import { messageHeaders, passedOn } from './message-frame.ts';
import { keyOf, type OwnSubscription, OwnSubscriptions } from './own-subscriptions.ts';
import type { Pod } from './pod.ts';
import { Refusal } from './refusal.ts';
import { Transactions } from './transactions.ts';

/** What a conversation needs of the session that it belongs to. */
export interface Line extends Subscriber {
  /** Writes a frame; false when the session has ended or just ended of it. */
  send(bytes: Uint8Array): boolean;
  /** Runs a part of a frame's work; a Refusal in it ends the session. */
  attempt(frame: Frame, task: () => void): void;
  /** The client has said DISCONNECT and was answered. */
  goodbye(): void;
}

export class Conversation {
  readonly #pod: Pod;
  readonly #line: Line;
  readonly #version: Version;
  readonly #user: string | undefined;
  readonly #subscriptions: OwnSubscriptions;
  readonly #acknowledgements: Acknowledgements;
  readonly #transactions = new Transactions<Frame>();

  constructor(pod: Pod, line: Line, version: Version, user: string | undefined) {
    this.#pod = pod;
    this.#line = line;
    this.#version = version;
    this.#user = user;
    this.#subscriptions = new OwnSubscriptions(pod.broker, pod.settings.maxSubscriptions);
    this.#acknowledgements = new Acknowledgements(pod.settings.maxUnacknowledged);
  }

  /** Does what the frame says. Throws a Refusal. */
  handle(frame: Frame): void {
    refuseUnsayable(frame);
    switch (frame.command) {
      case 'SEND':
        return this.#send(frame);
      case 'SUBSCRIBE':
        return this.#subscribe(frame);
      case 'UNSUBSCRIBE':
        return this.#unsubscribe(frame);
      case 'ACK':
      case 'NACK':
        return this.#acknowledge(frame);
      case 'BEGIN':
        this.#transactions.begin(required(frame, 'transaction'));
        return this.#receipt(frame);
      case 'COMMIT':
        return this.#commit(frame);
      case 'ABORT':
        this.#transactions.abort(required(frame, 'transaction'));
        return this.#receipt(frame);
      case 'DISCONNECT':
        return this.#disconnect(frame);
      default:
        throw new Refusal('already connected', `${frame.command} came after CONNECTED.`);
    }
  }

  /** The session is over: nothing is delivered to it any more. */
  end(): void {
    this.#subscriptions.removeAll();
  }

  #subscribe(frame: Frame): void {
    const destination = required(frame, 'destination');
    const kind = subscribeKind(destination);
    const id = frame.header('id');
    const subscription: OwnSubscription = {
      key: keyOf(frame.command, id, destination, this.#version),
      id,
      destination,
      ack: ackMode(frame),
      address: this.#address(kind, destination),
      subscriber: this.#line,
      deliver: (message) => this.#deliver(subscription, message),
    };
    this.#subscriptions.add(subscription);
    this.#receipt(frame);
    if (kind === 'whoami') this.#deliver(subscription, this.#whoami(destination));
  }

  #address(kind: SubscribeKind, destination: string): string | undefined {
    if (kind === 'topic') return topicAddress(destination);
    return kind === 'user' && this.#user !== undefined ? userAddress(this.#user, destination) : undefined;
  }

  #unsubscribe(frame: Frame): void {
    const key = keyOf(frame.command, frame.header('id'), frame.header('destination'), this.#version);
    this.#subscriptions.remove(key);
    this.#acknowledgements.forget(key);
    this.#receipt(frame);
  }

  #send(frame: Frame): void {
    const target = this.#allowed(required(frame, 'destination'));
    if (this.#keptForCommit(frame)) return;
    this.#pod.faults.later(() => {
      const sessions = this.#publish(frame, target);
      this.#receipt(frame, target.kind === 'user' ? { 'holdfast-sessions': sessions } : {});
    });
  }

  #allowed(destination: string): SendTarget {
    const target = sendTarget(destination);
    const service = this.#user !== undefined && this.#pod.settings.serviceUsers.includes(this.#user);
    if (target.kind !== 'user' || service) return target;
    throw new Refusal('not allowed', `SEND to ${destination}: only service users may send to the sessions of a user.`);
  }

  /** Answers how many sessions got the message. */
  #publish(frame: Frame, target: SendTarget): number {
    const headers = passedOn(frame);
    const body = frame.body;
    switch (target.kind) {
      case 'topic':
        return this.#pod.broker.publish(topicAddress(target.destination), { ...target, headers, body });
      case 'user':
        return this.#pod.broker.publish(userAddress(target.user, target.destination), { ...target, headers, body });
      case 'echo':
        return this.#reply({ destination: ECHO_REPLY, headers, body });
      case 'whoami':
        return this.#reply(this.#whoami(WHOAMI_REPLY));
    }
  }

  /** An application's answer: to this session only, on each of its subscriptions to the destination. */
  #reply(message: Message): number {
    const handed = this.#subscriptions.to(message.destination).map((to) => this.#pod.faults.hand(to, message));
    return handed.includes(true) ? 1 : 0;
  }

  #whoami(destination: string): Message {
    const json = JSON.stringify({ pod: this.#pod.settings.name, user: this.#user ?? null });
    return { destination, headers: [['content-type', 'application/json']], body: new TextEncoder().encode(json) };
  }

  #acknowledge(frame: Frame): void {
    if (this.#version === '1.0' && frame.command === 'NACK') {
      throw new Refusal('unknown command', 'NACK came with STOMP 1.1.');
    }
    if (this.#keptForCommit(frame)) return;
    this.#settle(frame);
    this.#receipt(frame);
  }

  #settle(frame: Frame): void {
    if (this.#version === '1.2') return this.#acknowledgements.settle(required(frame, 'id'));
    const subscription = this.#version === '1.1' ? required(frame, 'subscription') : frame.header('subscription');
    this.#acknowledgements.settle(required(frame, 'message-id'), subscription);
  }

  #keptForCommit(frame: Frame): boolean {
    const transaction = frame.header('transaction');
    if (transaction === undefined) return false;
    // A copy: a small frame must not keep the whole chunk in memory that it came in.
    this.#transactions.add(transaction, frameOf(frame.bytes.slice(), 'client', frame.version));
    this.#receipt(frame);
    return true;
  }

  #commit(frame: Frame): void {
    const kept = this.#transactions.commit(required(frame, 'transaction'));
    this.#pod.faults.later(() =>
      this.#line.attempt(frame, () => {
        for (const one of kept) this.#perform(one);
        this.#receipt(frame);
      }),
    );
  }

  #perform(kept: Frame): void {
    if (kept.command === 'SEND') this.#publish(kept, sendTarget(required(kept, 'destination')));
    else this.#settle(kept);
  }

  /** Through the delay like a SEND, so that its receipt stays the last one. */
  #disconnect(frame: Frame): void {
    this.#pod.faults.later(() => {
      this.#receipt(frame);
      this.#line.goodbye();
    });
  }

  #deliver(subscription: OwnSubscription, message: Message): boolean {
    if (!this.#subscriptions.has(subscription)) return false;
    const id = this.#pod.nextMessageId();
    if (subscription.ack !== 'auto' && !this.#acknowledgements.expect(id, subscription)) {
      const max = this.#pod.settings.maxUnacknowledged;
      this.#line.fail('too many unacknowledged messages', `${max} messages wait for an ACK: acknowledge them sooner.`);
      return false;
    }
    const headers = messageHeaders(subscription, id, message, this.#version);
    return this.#line.send(encode('MESSAGE', headers, message.body, this.#version));
  }

  #receipt(frame: Frame, headers: HeaderInit = {}): void {
    const receipt = frame.header('receipt');
    if (receipt === undefined || (this.#pod.faults.plan.noReceipts && frame.command !== 'DISCONNECT')) return;
    this.#line.send(encode('RECEIPT', { 'receipt-id': receipt, ...headers }, undefined, this.#version));
  }
}
