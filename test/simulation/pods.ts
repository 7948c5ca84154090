/**
 * Simulated pods.
 *
 * - `receipt`: a broker that does what it is told in order and answers receipts (RabbitMQ, our own backend).
 * - `settle`: Spring's simple broker: SUBSCRIBE, UNSUBSCRIBE and SEND of one session go through a pool of threads and overtake
 *   each other, and only DISCONNECT is answered by a receipt.
 */
import type { PodState } from '../../proxy/discovery/index.ts';
import type { LinkEnd } from '../../proxy/session/index.ts';
import { encode, type Frame } from '../../stomp/index.ts';
import { type Network, Pipe } from './pipe.ts';
import { STATE, TICKER } from './settings.ts';
import { must } from './violation.ts';
import type { PodEnd, Wire } from './wire.ts';
import { WORK, type WorkQueue } from './work-queue.ts';

export type Profile = 'receipt' | 'settle';

/** What producers say. The body is a number that only grows per user and destination. */
export interface Posted {
  readonly body: string;
  readonly id: string;
  readonly seq: string;
}

export interface PodWorld extends Network {
  readonly profile: Profile;
  /** Messages carry the producer's id and number. */
  readonly numbers: boolean;
  took(body: string): void;
  work(user: string): WorkQueue | undefined;
  /** A link says by which name it alone may be connected. */
  claim(clientId: string, wire: Wire, isAlive: () => boolean): void;
  log(text: () => string): void;
}

export const UNREACHABLE: LinkEnd = { kind: 'unreachable', message: 'ECONNREFUSED' };
/** The pod's word to one session: says nothing of what it tells others. */
export const BUSY: LinkEnd = { kind: 'handshake', status: 429 };

/** The code of an application that has failed. */
export const DROPPED = 1011;
const DROPS_AFTER_MS = 30;

/** Spring's pool of threads: how long one frame may take before the next. */
const POOL_MAX_MS = 30;

export class SimPod implements PodEnd {
  readonly uid: string;
  readonly name: string;
  readonly ip: string;
  state: PodState = 'serving';
  isAlive = true;
  /** How new links are refused. */
  refuses: LinkEnd | undefined;
  /** Replayed CONNECT frames are answered with ERROR. */
  failsReplay = false;
  connectMs = 0;
  /** It closes links a moment after CONNECTED. */
  drops = false;
  /** Receipts are given twice. */
  stutters = false;
  /** It reads nothing from links and producers before. */
  stalledUntilMs = 0;
  readonly wires = new Set<Wire>();
  readonly #world: PodWorld;
  readonly #transactions = new Map<Wire, Map<string, string[]>>();
  /** From the broker's other nodes. */
  readonly #broker: Pipe;
  #lastMessage = 0;
  /** Those that have said DISCONNECT. */
  readonly #left = new WeakSet<Wire>();
  /** The ticker's producers, each with a way of its own to this pod. */
  readonly #ticker = new Map<string, Pipe>();
  #wakeMs = 0;

  constructor(world: PodWorld, uid: string, name: string, ip: string) {
    this.#world = world;
    this.uid = uid;
    this.name = name;
    this.ip = ip;
    this.#broker = new Pipe(world, false, () => {});
  }

  accept(wire: Wire): void {
    if (!this.isAlive) return wire.end(UNREACHABLE);
    if (this.refuses !== undefined) return wire.end(this.refuses);
    this.wires.add(wire);
    wire.opened();
  }

  receive(wire: Wire, frame: Frame): void {
    if (!this.wires.has(wire)) return;
    this.#world.log(() => `${this.uid} < ${frame.command} ${words(frame)} of ${wire.user}`);
    if (frame.command === 'CONNECT') return this.#connect(wire, frame);
    if (this.#world.profile === 'receipt' || frame.command === 'DISCONNECT') return this.#take(wire, frame);
    this.#world.agenda.after(this.#world.dice.between(0, POOL_MAX_MS), () => this.#take(wire, frame));
  }

  #connect(wire: Wire, frame: Frame): void {
    const clientId = frame.header('client-id');
    if (clientId !== undefined) this.#world.claim(clientId, wire, () => this.#has(wire) && !this.#left.has(wire));
    const isReplay = frame.header('holdfast-replay') !== undefined;
    if (this.drops) this.#world.agenda.after(this.connectMs + DROPS_AFTER_MS, () => this.#drop(wire));
    if (!this.failsReplay || !isReplay) return wire.deliver(encode('CONNECTED', { version: '1.2' }), this.connectMs);
    wire.deliver(encode('ERROR', { message: 'no replays here' }));
    wire.end({ kind: 'closed', code: 1002, reason: '' });
  }

  #drop(wire: Wire): void {
    if (this.#has(wire)) this.close(wire, DROPPED);
  }

  #take(wire: Wire, frame: Frame): void {
    if (!this.wires.has(wire)) return;
    const id = frame.header('id') ?? '';
    if (frame.command === 'SUBSCRIBE') this.#subscribe(wire, id, frame.header('destination') ?? '');
    if (frame.command === 'UNSUBSCRIBE') wire.subscriptions.delete(id);
    if (frame.command === 'DISCONNECT') this.#leave(wire);
    if (frame.command === 'ACK' || frame.command === 'NACK') this.#world.work(wire.user)?.answer(wire, frame);
    this.#transact(wire, frame);
    this.#answer(wire, frame);
  }

  #subscribe(wire: Wire, id: string, destination: string): void {
    wire.subscriptions.set(id, destination);
    wire.listener.listens(wire, destination);
    if (destination === WORK) this.#world.work(wire.user)?.consume(wire, id, () => this.#has(wire));
    if (destination === STATE) wire.deliver(this.#message(id, STATE, { body: '1', id: `state-${wire.user}`, seq: '' }));
  }

  #has(wire: Wire): boolean {
    return this.isAlive && this.wires.has(wire);
  }

  #leave(wire: Wire): void {
    wire.subscriptions.clear();
    this.#left.add(wire);
    this.#world.work(wire.user)?.leave(wire);
  }

  #transact(wire: Wire, frame: Frame): void {
    const name = frame.header('transaction') ?? '';
    const open = this.#transactions.get(wire) ?? new Map<string, string[]>();
    this.#transactions.set(wire, open);
    const body = new TextDecoder().decode(frame.body);
    if (frame.command === 'SEND' && name === '') this.#world.took(body);
    else if (frame.command === 'BEGIN') open.set(name, []);
    if (name === '' || frame.command === 'BEGIN') return;
    must(open.has(name), 'a transaction is whole', () => `${frame.command} of ${name}, which was not begun here`);
    if (frame.command === 'SEND') open.get(name)?.push(body);
    else if (frame.command === 'COMMIT') for (const kept of open.get(name) ?? []) this.#world.took(kept);
    if (frame.command !== 'SEND') open.delete(name);
  }

  #answer(wire: Wire, frame: Frame): void {
    const receipt = frame.header('receipt');
    if (receipt === undefined || (this.#world.profile === 'settle' && frame.command !== 'DISCONNECT')) return;
    const bytes = encode('RECEIPT', { 'receipt-id': receipt });
    wire.deliver(bytes);
    if (this.stutters) wire.deliver(bytes, 5);
  }

  /** The proxy's end is closed, or the wire is broken. */
  closed(wire: Wire): void {
    if (this.wires.delete(wire) && this.isAlive) wire.end({ kind: 'closed', code: 1000, reason: '' });
  }

  /** A message for a user: handed to every subscription of the destination here. */
  post(user: string | undefined, destination: string, message: Posted): 'delivered' | 'no-session' {
    let result: 'delivered' | 'no-session' = 'no-session';
    for (const wire of this.wires) {
      if (user !== undefined && wire.user !== user) continue;
      for (const [subscription, subscribed] of wire.subscriptions) {
        if (subscribed !== destination) continue;
        result = 'delivered';
        wire.deliver(this.#message(subscription, destination, message));
      }
    }
    return result;
  }

  #message(subscription: string, destination: string, { body, id, seq }: Posted): Uint8Array {
    const headers = { subscription, destination, 'message-id': `${this.uid}-${++this.#lastMessage}` };
    if (!this.#world.numbers || seq === '') return encode('MESSAGE', headers, body);
    return encode('MESSAGE', { ...headers, 'holdfast-id': id, 'holdfast-seq': seq }, body);
  }

  /**
   * A message of a broker with several nodes reaches this one in order, some time later. Whoever subscribes to a pod that was
   * stopped gets nothing of what had waited for it.
   */
  spread(destination: string, message: Posted): void {
    this.#broker.push(() => {
      if (this.isAlive) this.post(undefined, destination, message);
    });
  }

  /** A message of one producer of the ticker: in order with that one's others, and with nobody else's. */
  tick(producer: string, body: string): void {
    const pipe = this.#ticker.get(producer) ?? new Pipe(this.#world, false, () => {});
    this.#ticker.set(producer, pipe);
    pipe.holdUntil(this.#wakeMs);
    pipe.push(() => this.#showTick(producer, body));
  }

  #showTick(producer: string, body: string): void {
    if (!this.isAlive) return;
    for (const wire of this.wires) {
      for (const [subscription, destination] of wire.subscriptions) {
        if (destination !== TICKER) continue;
        const headers = { subscription, destination, 'message-id': `${this.uid}-${++this.#lastMessage}`, producer };
        wire.deliver(encode('MESSAGE', headers, body));
      }
    }
  }

  /** ERROR to one link, then the close. */
  fail(wire: Wire, message: string, code: number): void {
    wire.deliver(encode('ERROR', { message }));
    this.wires.delete(wire);
    wire.end({ kind: 'closed', code, reason: '' });
  }

  close(wire: Wire, code: number): void {
    this.wires.delete(wire);
    wire.end({ kind: 'closed', code, reason: '' });
  }

  crash(isSilent: boolean): void {
    this.isAlive = false;
    const end: LinkEnd = { kind: 'closed', code: 1006, reason: '' };
    for (const wire of [...this.wires]) isSilent ? wire.halfOpen() : wire.reset(end);
    this.wires.clear();
  }

  /** SIGSTOP, and after a while SIGCONT. */
  stall(ms: number): void {
    this.#wakeMs = Math.max(this.#wakeMs, this.#world.agenda.now + ms);
    this.stalledUntilMs = this.#wakeMs + 1;
    for (const pipe of [this.#broker, ...this.#ticker.values()]) pipe.holdUntil(this.#wakeMs);
    for (const wire of this.wires) wire.stall(ms);
  }
}

/** What tells one frame from another in a trace. */
export function words(frame: Frame): string {
  const shown = [
    'id',
    'subscription',
    'destination',
    'receipt',
    'receipt-id',
    'transaction',
    'message',
    'holdfast-replay',
  ];
  const headers = shown.flatMap((name) => {
    const value = frame.header(name);
    return value === undefined ? [] : [`${name}:${value}`];
  });
  const body = frame.body.length === 0 ? [] : [`| ${new TextDecoder().decode(frame.body)}`];
  return [...headers, ...body].join(' ');
}
