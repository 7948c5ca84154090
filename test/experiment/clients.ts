/** The clients of a run, in a process of their own, so that they and the proxy do not wait for each other's CPU. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ClientEvent, ClientPlan, FromClients, ToClients } from './clients-messages.ts';

export interface ClientsOptions {
  /** http://HOST:PORT of the proxy or the balancer. */
  readonly url: string;
  readonly users: readonly string[];
  readonly destinations: readonly string[];
  /** What a user subscribes to for a destination; default `/user` + the destination. */
  readonly subscriptionOf?: (user: string, destination: string) => string;
  readonly notices: boolean;
  /** Default /ws. */
  readonly path?: string;
  /** Whether subscriptions are proven live by receipts; default true. */
  readonly receipts?: boolean;
  readonly onEvent: (event: ClientEvent) => void;
}

/** For all clients together to connect or to leave; only a proxy or pods that are stuck need so long. */
const ANSWER_MAX_MS = 30_000;

export class Clients {
  readonly #process: ChildProcess;

  private constructor(process: ChildProcess) {
    this.#process = process;
  }

  /** Resolves when every client is connected and, with receipts, its subscriptions are proven live. */
  static async open(options: ClientsOptions): Promise<Clients> {
    const { url, path = '/ws', notices, receipts = true, onEvent } = options;
    const process = fork(fileURLToPath(new URL('clients-main.ts', import.meta.url)), { stdio: 'inherit' });
    process.on('message', (message: FromClients) => {
      if (message.type === 'events') for (const event of message.events) onEvent(event);
    });
    const clients = new Clients(process);
    clients.#tell({
      type: 'open',
      url: `${url.replace(/^http/, 'ws')}${path}`,
      plans: plansOf(options),
      notices,
      receipts,
    });
    await clients.#heard('open');
    return clients;
  }

  /**
   * All clients leave in order: a receipt for DISCONNECT proves that what was on the way to them has come. Gives the
   * longest time in ms that their process could not run.
   */
  async leave(): Promise<number> {
    this.#tell({ type: 'leave' });
    const { stallMs } = await this.#heard('left');
    return stallMs;
  }

  /** Ends the process, whether or not the clients have left. */
  async kill(): Promise<void> {
    if (this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await exited;
  }

  #tell(message: ToClients): void {
    this.#process.send(message);
  }

  async #heard<T extends FromClients['type']>(type: T): Promise<Extract<FromClients, { type: T }>> {
    const { promise, resolve, reject } = Promise.withResolvers<Extract<FromClients, { type: T }>>();
    const ended = () => reject(new Error('the process with the clients has ended'));
    const listen = (message: FromClients) => {
      if (message.type === type) resolve(message as Extract<FromClients, { type: T }>);
    };
    const late = () => reject(new Error(`not all clients are ${type} after ${ANSWER_MAX_MS} ms`));
    const timer = setTimeout(late, ANSWER_MAX_MS);
    this.#process.on('message', listen).on('exit', ended);
    try {
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#process.off('message', listen).off('exit', ended);
    }
  }
}

function plansOf({ users, destinations, subscriptionOf = ofUser }: ClientsOptions): ClientPlan[] {
  return users.map((user) => ({
    user,
    subscriptions: destinations.map((destination) => ({ destination, to: subscriptionOf(user, destination) })),
  }));
}

function ofUser(_user: string, destination: string): string {
  return `/user${destination}`;
}
