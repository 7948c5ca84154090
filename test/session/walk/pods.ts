/** Simulated pods, and the wires between them and sessions: in order in each direction, with a latency of their own. */
import type { Pod, PodState } from '../../../proxy/discovery/index.ts';
import type { LinkEnd } from '../../../proxy/session/index.ts';
import { encode, type Frame, frameOf } from '../../../stomp/index.ts';
import type { Agenda, Dice } from './agenda.ts';

/** The session's end of a wire. */
export interface WireEnd {
  opened(): void;
  frame(frame: Frame): void;
  ended(end: LinkEnd): void;
}

const LATENCY_MAX_MS = 60;

export class Wire {
  readonly user: string;
  readonly subscriptions = new Map<string, string>();
  /** The proxy has closed its end for good. */
  isCut = false;
  readonly #world: { readonly agenda: Agenda; readonly dice: Dice };
  readonly #pod: SimPod;
  readonly #end: WireEnd;
  #upAtMs = 0;
  #downAtMs = 0;
  /** Nothing arrives after this in either direction. */
  #deadAtMs = Number.POSITIVE_INFINITY;

  constructor(world: { agenda: Agenda; dice: Dice }, user: string, pod: SimPod, end: WireEnd) {
    this.user = user;
    this.#world = world;
    this.#pod = pod;
    this.#end = end;
    this.#up(() => pod.accept(this));
  }

  opened(): void {
    this.#down(() => this.#end.opened());
  }

  send(bytes: Uint8Array): void {
    this.#up(() => this.#pod.receive(this, frameOf(bytes, 'client')));
  }

  /** The proxy closes: the pod sees it, and answers if it was asked to. */
  close(how: 'close' | 'abort'): void {
    this.#up(() => this.#pod.closed(this));
    if (how === 'close') return;
    this.isCut = true;
  }

  deliver(bytes: Uint8Array, delayMs = 0): void {
    this.#down(() => this.#end.frame(frameOf(bytes, 'server')), delayMs);
  }

  end(end: LinkEnd): void {
    this.#down(() => this.#die(end));
  }

  /** The wire breaks; what is on its way may or may not arrive before. */
  break(end: LinkEnd, afterMs = 0): void {
    const { agenda, dice } = this.#world;
    if (this.#deadAtMs !== Number.POSITIVE_INFINITY) return;
    this.#deadAtMs = agenda.now + dice.between(0, LATENCY_MAX_MS);
    this.#pod.closed(this);
    agenda.at(this.#deadAtMs + afterMs, () => this.#end.ended(end));
  }

  #die(end: LinkEnd): void {
    this.#deadAtMs = this.#world.agenda.now;
    this.#pod.closed(this);
    this.#end.ended(end);
  }

  #up(run: () => void): void {
    const { agenda, dice } = this.#world;
    this.#upAtMs = Math.max(this.#upAtMs, agenda.now + dice.between(0, LATENCY_MAX_MS));
    agenda.at(this.#upAtMs, () => {
      if (agenda.now <= this.#deadAtMs) run();
    });
  }

  #down(run: () => void, delayMs = 0): void {
    const { agenda, dice } = this.#world;
    this.#downAtMs = Math.max(this.#downAtMs, agenda.now + delayMs + dice.between(0, LATENCY_MAX_MS));
    agenda.at(this.#downAtMs, () => {
      if (agenda.now <= this.#deadAtMs) run();
    });
  }
}

export class SimPod {
  readonly id: string;
  readonly name: string;
  state: PodState = 'serving';
  isAlive = true;
  /** New links are refused. */
  refuses = false;
  /** Replayed CONNECT frames are answered with ERROR. */
  failsReplay = false;
  connectMs = 0;
  readonly wires = new Set<Wire>();
  readonly #onSend: (user: string, frame: Frame) => void;
  #lastMessage = 0;

  constructor(id: string, name: string, onSend: (user: string, frame: Frame) => void) {
    this.id = id;
    this.name = name;
    this.#onSend = onSend;
  }

  get pod(): Pod {
    return { id: this.id, name: this.name, address: `${this.id}:80`, state: this.state };
  }

  accept(wire: Wire): void {
    if (!this.isAlive || this.refuses) return wire.end({ kind: 'unreachable', message: 'ECONNREFUSED' });
    this.wires.add(wire);
    wire.opened();
  }

  receive(wire: Wire, frame: Frame): void {
    if (!this.wires.has(wire)) return;
    const id = frame.header('id') ?? '';
    if (frame.command === 'CONNECT') return this.#connect(wire, frame);
    if (frame.command === 'SUBSCRIBE') wire.subscriptions.set(id, frame.header('destination') ?? '');
    if (frame.command === 'UNSUBSCRIBE') wire.subscriptions.delete(id);
    if (frame.command === 'SEND') this.#onSend(wire.user, frame);
    const receipt = frame.header('receipt');
    if (receipt !== undefined) wire.deliver(encode('RECEIPT', { 'receipt-id': receipt }));
    if (frame.command === 'DISCONNECT') wire.subscriptions.clear();
  }

  #connect(wire: Wire, frame: Frame): void {
    const isReplay = frame.header('holdfast-replay') !== undefined;
    if (!this.failsReplay || !isReplay) return wire.deliver(encode('CONNECTED', { version: '1.2' }), this.connectMs);
    wire.deliver(encode('ERROR', { message: 'no replays here' }));
    wire.end({ kind: 'closed', code: 1002, reason: '' });
  }

  /** The proxy's end is closed, or the wire is broken. */
  closed(wire: Wire): void {
    if (this.wires.delete(wire) && this.isAlive && !wire.isCut) wire.end({ kind: 'closed', code: 1000, reason: '' });
  }

  /** A producer's message: to every subscription of the user here. */
  post(user: string, destination: string, n: number): 'delivered' | 'no-session' {
    let result: 'delivered' | 'no-session' = 'no-session';
    for (const wire of this.wires) {
      if (wire.user !== user) continue;
      for (const [subscription, subscribed] of wire.subscriptions) {
        if (subscribed !== `/user${destination}`) continue;
        result = 'delivered';
        wire.deliver(this.#message(subscription, subscribed, n));
      }
    }
    return result;
  }

  #message(subscription: string, destination: string, n: number): Uint8Array {
    const [id, sequence] = [`p${n}`, `p:${n}`];
    return encode('MESSAGE', {
      ...{ subscription, destination, 'message-id': `${this.id}-${++this.#lastMessage}` },
      ...{ 'holdfast-id': id, 'holdfast-seq': sequence },
    });
  }

  crash(silentMs: number): void {
    this.isAlive = false;
    for (const wire of [...this.wires]) {
      if (silentMs > 0) wire.break({ kind: 'silent', sinceMs: silentMs }, silentMs);
      else wire.break({ kind: 'closed', code: 1006, reason: '' });
    }
    this.wires.clear();
  }
}
