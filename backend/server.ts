/**
 * One backend from start to end.
 *
 *     serving ──drain()──▶ draining ──last session left, or drainGraceMs──▶ closing ──▶ stopped
 *        └─────────────────────────── stop() ────────────────────────────────▲
 *
 * A draining pod serves everything as before, new WebSockets and producers too, and only says in /healthz that it will
 * end. So does a pod of Kubernetes: it is `terminating` and still `serving` until its preStop hook ends, because those
 * who send to it learn of its end later than the pod itself. Refusing them earlier would cost messages and win nothing.
 */
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { encode } from '../stomp/index.ts';
import { Broker } from './broker.ts';
import { type FaultPlan, Faults } from './faults.ts';
import { parseListen } from './listen.ts';
import { type BackendOptions, type Settings, settle } from './options.ts';
import { deliverToUser, messageIds, type Phase, type Pod } from './pod.ts';
import { routes } from './routes.ts';
import { version } from './version.ts';
import { WebSocketDoor } from './websocket.ts';

export interface Backend {
  readonly name: string;
  /** HOST:PORT that it listens on. */
  readonly address: string;
  /** Where WebSockets are accepted: ws://HOST:PORT/PATH. */
  readonly url: string;
  /** The planted faults; may be changed while it runs. */
  readonly faults: FaultPlan;
  /** Clients' sessions that are connected; the links of service users are not counted. */
  sessions(): number;
  /** Ends as on SIGTERM: serves on until the last session has left or `drainGraceMs` is over, then stops. */
  drain(): Promise<void>;
  /** Ends now, in order: closes all sessions with the plan's `closeCode`. */
  stop(): Promise<void>;
  /** Ends like under kill -9: all connections are cut at once. */
  kill(): void;
  /**
   * Delivers at once, whatever `delayMs` says, to the sessions of `user` subscribed to `/user` + destination, and answers
   * how many got it. Throws a RangeError for headers that no frame can carry.
   */
  deliver(
    user: string,
    destination: string,
    body: string | Uint8Array,
    headers?: Readonly<Record<string, string>>,
  ): number;
}

/** Producers keep connections open between messages; shorter than their side, it would reset what they just send. */
const KEEP_ALIVE_MS = 60_000;
/** For a whole request with its body: a sender that dribbles must not keep a connection for ever. */
const REQUEST_TIMEOUT_MS = 30_000;

/** Starts a backend in this process. Rejects when it cannot listen; throws a RangeError for an option that cannot be. */
export async function startBackend(options: BackendOptions = {}): Promise<Backend> {
  const backend = new RunningBackend(options);
  await backend.listen();
  return backend;
}

class RunningBackend implements Backend {
  readonly #settings: Settings;
  readonly #pod: Pod;
  readonly #faults: Faults;
  readonly #door: WebSocketDoor;
  readonly #http: Server;
  readonly #sockets = new Set<Socket>();
  #address = '';
  #phase: Phase = 'serving';
  #draining: Promise<void> | undefined;
  #stopping: Promise<void> | undefined;
  #endGrace = () => {};

  constructor(options: BackendOptions) {
    this.#settings = settle(options);
    this.#faults = new Faults(this.#settings.faults, options.crash ?? (() => this.kill()));
    this.#pod = this.#createPod();
    this.#door = new WebSocketDoor(this.#pod, () => this.#left());
    this.#http = this.#createServer();
  }

  get name(): string {
    return this.#settings.name;
  }

  get faults(): FaultPlan {
    return this.#faults.plan;
  }

  /** Stays known after the end. */
  get address(): string {
    return this.#address;
  }

  get url(): string {
    return `ws://${this.address}${this.#settings.path ?? '/ws'}`;
  }

  async listen(): Promise<void> {
    this.#http.listen(parseListen(this.#settings.listen));
    await once(this.#http, 'listening');
    const { address, family, port } = this.#http.address() as AddressInfo;
    this.#address = family === 'IPv6' ? `[${address}]:${port}` : `${address}:${port}`;
  }

  sessions(): number {
    return this.#door.sessions;
  }

  drain(): Promise<void> {
    this.#draining ??= this.#drain();
    return this.#draining;
  }

  stop(): Promise<void> {
    this.#stopping ??= this.#close();
    return this.#stopping;
  }

  kill(): void {
    this.#phase = 'closing';
    this.#stopping ??= this.#closed();
    this.#endGrace();
    this.#faults.discard();
    this.#http.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  deliver(
    user: string,
    destination: string,
    body: string | Uint8Array,
    headers: Readonly<Record<string, string>> = {},
  ): number {
    const octets = typeof body === 'string' ? new TextEncoder().encode(body) : body;
    encode('MESSAGE', headers, octets);
    return deliverToUser(this.#pod.broker, user, destination, octets, Object.entries(headers));
  }

  #createPod(): Pod {
    const phase = () => this.#phase;
    return {
      settings: this.#settings,
      broker: new Broker(this.#faults.hand),
      faults: this.#faults,
      server: `holdfast-backend/${version}`,
      nextMessageId: messageIds(),
      get phase() {
        return phase();
      },
    };
  }

  #createServer(): Server {
    const counts = () => ({ sessions: this.#door.sessions, connections: this.#door.connections });
    const options = { keepAliveTimeout: KEEP_ALIVE_MS, requestTimeout: REQUEST_TIMEOUT_MS };
    const server = createServer(options, routes(this.#pod, counts));
    server.on('upgrade', (request, socket, head) => this.#door.upgrade(request, socket, head));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
    });
    return server;
  }

  async #drain(): Promise<void> {
    if (this.#phase === 'serving') {
      this.#phase = 'draining';
      this.#settings.log.info({ sessions: this.sessions(), graceMs: this.#settings.drainGraceMs }, 'draining');
      await this.#grace();
    }
    await this.stop();
  }

  /** Until the last client has left or the grace is over. */
  #grace(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, this.#settings.drainGraceMs);
      this.#endGrace = () => {
        clearTimeout(timer);
        resolve();
      };
      this.#left();
    });
  }

  #left(): void {
    if (this.#phase === 'draining' && this.#door.clients === 0) this.#endGrace();
  }

  async #close(): Promise<void> {
    this.#phase = 'closing';
    this.#endGrace();
    const sessions = this.sessions();
    const log = this.#settings.log;
    if (sessions > 0) log.warn({ sessions }, 'closing sessions that have not left');
    const closed = this.#closed();
    this.#http.close();
    this.#faults.flush();
    this.#door.closeAll(this.#faults.plan.closeCode, 'shutting down');
    const timer = setTimeout(() => this.#http.closeAllConnections(), this.#settings.closeTimeoutMs);
    await closed;
    clearTimeout(timer);
    log.info({}, 'stopped');
  }

  async #closed(): Promise<void> {
    await once(this.#http, 'close');
  }
}
