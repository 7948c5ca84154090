/** The homes of users, as a worker sees them: some here, the others reached through the primary and by inner doors. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { HandedOver, Homes } from '../listeners/homes.ts';
import { refuse } from '../listeners/refusal.ts';
import { HandQueue, type Send } from './hand-queue.ts';
import { homeOf } from './home.ts';
import { InnerClient } from './inner-door.ts';
import type { Hand } from './messages.ts';

export class WorkerHomes implements Homes {
  readonly #index: number;
  readonly #count: number;
  readonly #hands: HandQueue<Hand>;
  readonly #client: InnerClient;
  /** Requests that came by the inner door: they go no further. */
  readonly #passedOn = new WeakSet<IncomingMessage>();
  #ports: readonly (number | undefined)[] = [];

  constructor(index: number, count: number, secret: string, send: Send<Hand>) {
    this.#index = index;
    this.#count = count;
    this.#hands = new HandQueue(send);
    this.#client = new InnerClient(secret);
  }

  doorsAre(ports: readonly (number | undefined)[]): void {
    this.#ports = ports;
  }

  /** The request came by the inner door. */
  notePassedOn(request: IncomingMessage): void {
    this.#passedOn.add(request);
  }

  isPassedOn(request: IncomingMessage): boolean {
    return this.#passedOn.has(request);
  }

  isHere(user: string): boolean {
    return homeOf(user, this.#count) === this.#index;
  }

  handOver(client: HandedOver, socket: Duplex): void {
    const home = homeOf(client.user.user, this.#count);
    this.#hands.pass({ type: 'hand', home, client }, socket as Socket);
  }

  forward(name: string, request: IncomingMessage, response: ServerResponse): boolean {
    const home = homeOf(name, this.#count);
    if (home === this.#index || this.isPassedOn(request)) return false;
    const port = this.#ports[home];
    if (port === undefined) refuse(response, 503, 'the process that has this session is being started again');
    else this.#client.pass(port, request, response);
    return true;
  }

  close(): void {
    this.#client.close();
  }
}
