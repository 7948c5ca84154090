/** One session with its client: performs the effects, and checks that what reaches the client is the promise. */
import type { Pod } from '../../../proxy/discovery/index.ts';
import type { Effect, Fact, LinkCause, LinkId, SessionEvent, SessionOptions } from '../../../proxy/session/index.ts';
import { Session } from '../../../proxy/session/index.ts';
import { type Frame, frameOf } from '../../../stomp/index.ts';
import { frame } from '../notation.ts';
import { Shell } from '../shell.ts';
import type { Agenda } from './agenda.ts';
import type { Wire, WireEnd } from './pods.ts';

/** What a session needs of the world, in the order in which the switchboard does it. */
export interface ClientHost {
  readonly agenda: Agenda;
  dial(client: SimClient, pod: Pod, end: WireEnd): Wire;
  request(client: SimClient, cause: 'open' | 'recovery', attempt: number): void;
  fact(client: SimClient, fact: Fact): void;
  arrived(client: SimClient, pod: Pod): void;
  sent(body: string): void;
  log(text: string): void;
}

export const QUEUE = '/queue/a';

export class SimClient {
  readonly id: number;
  readonly user: string;
  readonly session: Session;
  readonly shell: Shell;
  /** Numbers of messages in the order of delivery. */
  readonly delivered: number[] = [];
  readonly unprovenAtMs: number[] = [];
  readonly receipts = new Map<string, number>();
  readonly #host: ClientHost;
  readonly #wires = new Map<LinkId, Wire>();
  #pod: Pod | undefined;
  #wakeAtMs = Number.POSITIVE_INFINITY;

  constructor(id: number, user: string, options: SessionOptions, host: ClientHost) {
    this.id = id;
    this.user = user;
    this.#host = host;
    this.session = new Session(options, frame('CONNECT accept-version:1.2', 'client'), false);
    this.shell = new Shell(this.session, (effect) => this.#perform(effect));
  }

  start(): void {
    this.shell.start(this.#host.agenda.now);
    this.#afterwards();
  }

  /** A frame of the client; plain SEND takes the relay's short way. */
  send(text: string): void {
    this.#host.log(`client ${this.id} > ${text}`);
    const read = frame(text, 'client');
    const receipt = read.header('receipt');
    if (receipt !== undefined) this.receipts.set(receipt, 0);
    if (read.command === 'SEND') this.#host.sent(new TextDecoder().decode(read.body));
    const route = this.shell.clientRoute;
    const isPlain = read.command === 'SEND' && receipt === undefined;
    if (isPlain && route !== undefined) this.#wires.get(route)?.send(read.bytes);
    else this.tell({ type: 'client-frame', frame: read, binary: false });
  }

  granted(cause: LinkCause, pod: Pod): void {
    this.#host.log(`client ${this.id} granted ${pod.id} ${cause}`);
    this.tell({ type: 'granted', cause, pod });
  }

  tell(event: SessionEvent): void {
    this.shell.handle(event, this.#host.agenda.now);
    this.#afterwards();
  }

  /** As the relay does after each event: routing learns the new place, and a timer is set. */
  #afterwards(): void {
    const { pod } = this.session;
    if (pod !== this.#pod) {
      this.#pod = pod;
      this.#host.log(`client ${this.id} is at ${pod?.id ?? 'no pod'}`);
      if (pod !== undefined) this.#host.arrived(this, pod);
    }
    const atMs = this.session.nextDeadline()?.atMs ?? Number.POSITIVE_INFINITY;
    if (atMs >= this.#wakeAtMs || atMs === Number.POSITIVE_INFINITY) return;
    this.#wakeAtMs = atMs;
    this.#host.agenda.at(atMs, () => this.#wake(atMs));
  }

  #wake(atMs: number): void {
    if (this.#wakeAtMs !== atMs) return;
    this.#wakeAtMs = Number.POSITIVE_INFINITY;
    this.tell({ type: 'tick' });
  }

  #perform(effect: Effect): void {
    switch (effect.type) {
      case 'dial':
        this.#wires.set(effect.link, this.#host.dial(this, effect.pod, this.#endOf(effect.link)));
        return;
      case 'send-link':
        return this.#wires.get(effect.link)?.send(effect.bytes);
      case 'close-link':
        return this.#wires.get(effect.link)?.close(effect.how);
      case 'send-client':
        return this.#toClient(frameOf(effect.bytes, 'server'));
      case 'request-link':
        return this.#host.request(this, effect.cause, effect.attempt);
      case 'fact':
        this.#host.log(`client ${this.id} ${JSON.stringify(effect.fact)}`);
        return this.#host.fact(this, effect.fact);
    }
  }

  /** Late callbacks of links that were left come too: the session must not mind. */
  #endOf(link: LinkId): WireEnd {
    return {
      opened: () => this.tell({ type: 'link-open', link }),
      frame: (read) => this.#fromLink(link, read),
      ended: (end) => this.tell({ type: 'link-ended', link, end }),
    };
  }

  #fromLink(link: LinkId, read: Frame): void {
    const { links } = this.shell;
    if (read.command !== 'MESSAGE' || links.get(link)?.route !== 'pass' || links.get(link)?.state !== 'open') {
      return this.tell({ type: 'link-frame', link, frame: read, binary: false });
    }
    if (this.session.admit(read, this.#host.agenda.now).deliver) this.#toClient(read);
  }

  #toClient(read: Frame): void {
    const receipt = read.header('receipt-id');
    if (receipt !== undefined) this.receipts.set(receipt, (this.receipts.get(receipt) ?? 0) + 1);
    if (read.command !== 'MESSAGE') return;
    if (read.header('destination') === `/user${QUEUE}`)
      return this.#message(Number(read.header('holdfast-id')?.slice(1)));
    const { continuity } = JSON.parse(new TextDecoder().decode(read.body));
    if (continuity === 'unproven') this.unprovenAtMs.push(this.#host.agenda.now);
  }

  #message(n: number): void {
    this.#host.log(`client ${this.id} < message ${n}`);
    const last = this.delivered.at(-1) ?? 0;
    this.delivered.push(n);
    if (n <= last) throw new Error(`client ${this.id}: message ${n} came after ${last}`);
  }
}
