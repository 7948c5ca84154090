/**
 * The door for clients: WebSocket upgrades become sessions, SockJS requests too, and plain HTTP requests go to the user's pod.
 *
 * Whatever is wrong with a request is said before the upgrade, as HTTP, and nothing of it is passed on.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type DecoderLimits, SUBPROTOCOLS } from '../../stomp/index.ts';
import { isKey } from '../../websocket/index.ts';
import { type KnownUser, type UpgradeRequest, upgradeRequest } from '../identity/index.ts';
import type { Log } from '../log.ts';
import { FramedSocket } from '../relay/framed-socket.ts';
import type { SocketHandlers } from '../relay/socket.ts';
import { Turnstile } from '../relay/turnstile.ts';
import { cutIt, PlainSocket, type WebSocketOptions } from '../relay/web-socket.ts';
import { serverFraming } from '../sockjs/index.ts';
import { Arrival } from './arrival.ts';
import { AT_HOME, type HandedOver, type Homes, Recording, unread } from './homes.ts';
import { type Guest, Reception, type ReceptionOptions, type ReceptionParts, SHUTTING_DOWN } from './reception.ts';
import { type Problem, refuseUpgrade } from './refusal.ts';
import { SockJsDoor, type SockJsOptions } from './sockjs/door.ts';
import { refuseNoText } from './sockjs/no-text.ts';
import { isPath, isRepeated } from './unambiguous.ts';
import { answerUpgrade } from './upgrade-answer.ts';

export interface ListenerOptions extends ReceptionOptions {
  /** How long a client may take to answer a close frame before the TCP connection is cut. */
  readonly closeMaxMs: number;
  /** See WebSocketOptions. */
  readonly highMarkBytes: number;
  readonly sockJs: Omit<SockJsOptions, 'socket'>;
}

/** Plain HTTP beside WebSocket. */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** Node's defaults (60 s, 30 s) leave a slow client too long on a socket; our own clients send their headers at once. */
const HEADERS_TIMEOUT_MS = 10_000;
const CHECK_INTERVAL_MS = 2_000;
/** Cookies and tokens fit; more is an attack. */
const HEADER_MAX_BYTES = 16 * 1024;
/** Frames that a client may split one message into: bytes alone are no bound on time (CVE-2026-48779, CVE-2026-62389). */
const PARTS_MAX = 64;
/** TCP connections that the system may accept before we do: a wave of clients that come back after a restart. */
const BACKLOG = 4096;
/** Beside CONNECT, the largest frame: what comes with it in one read, pings, the heads of frames in parts. */
const PRELUDE_MORE_BYTES = 128 * 1024;
/** While others wait: what they ask for next comes together, too, and a turn with a connect for each takes some 8 ms. */
const NEWCOMERS_PER_TURN = 16;
/** JSON makes at most six characters of an octet: \u0000. */
const JSON_FACTOR = 6;

export class Listener {
  readonly #plain: WebSocketOptions;
  /** The same for WebSockets with SockJS framing. */
  readonly #framed: WebSocketOptions;
  readonly #reception: Reception;
  readonly #sockJs: SockJsDoor;
  readonly #log: Log;
  readonly #homes: Homes;
  readonly #http: HttpHandler;
  readonly #now: () => number;
  readonly #server: Server;
  readonly #maxMessageBytes: number;
  /** Upgraded connections. The server knows nothing of those that another process has accepted, and waits for those that left for one. */
  readonly #upgraded = new Set<Duplex>();
  /** Clients that have no session yet. */
  readonly #newcomers = new Turnstile(NEWCOMERS_PER_TURN);
  readonly #arrivals = new WeakMap<Duplex, Arrival>();
  /** Listens to the close of sockets. One for all of them, as closures of `#upgrade` would keep its request as long as the socket. */
  readonly #ends: (this: Duplex) => void;

  constructor(
    options: ListenerOptions,
    parts: ReceptionParts & { http: HttpHandler; homes?: Homes; now: () => number },
  ) {
    this.#maxMessageBytes = JSON_FACTOR * messageMax(options.limits);
    this.#plain = socketOptions(options, 1);
    this.#framed = socketOptions(options, JSON_FACTOR);
    this.#log = parts.log;
    this.#homes = parts.homes ?? AT_HOME;
    this.#now = parts.now;
    const reception = new Reception(options, parts, this.#newcomers);
    this.#reception = reception;
    const upgraded = this.#upgraded;
    this.#ends = function (this: Duplex) {
      upgraded.delete(this);
      reception.leaves(this);
    };
    const { highMarkBytes } = options;
    this.#sockJs = new SockJsDoor(
      { ...options.sockJs, socket: { highMarkBytes, messageMaxChars: JSON_FACTOR * messageMax(options.limits) } },
      this.#reception,
      parts.now,
    );
    this.#server = createServer({
      maxHeaderSize: HEADER_MAX_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      // Java's HttpClient and curl offer h2c with plain requests; Node before 24.9 cannot tell and answers them 400.
      shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === 'websocket',
    });
    this.#http = parts.http;
    this.#server.on('connection', (socket) => this.#arrivals.set(socket, new Arrival(socket, this.#newcomers)));
    this.#server.on('request', (request, response) => {
      this.#arrived(request.socket);
      this.answer(request, response);
      this.#newcomers.dealt();
    });
    this.#server.on('upgrade', (request, socket, head) => {
      this.#arrived(socket);
      this.#upgrade(request, socket, head);
      this.#newcomers.dealt();
    });
  }

  /** @returns the address that is listened on; rejects when it cannot be had */
  listen({ host, port }: { host: string; port: number }): Promise<{ host: string; port: number }> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port, backlog: BACKLOG }, () => {
        this.#server.off('error', reject);
        // From now on: connections that cannot be accepted (no file descriptors left).
        this.#server.on('error', (error) => this.#log.warn({ err: error }, 'listen port'));
        const bound = this.#server.address() as AddressInfo;
        resolve({ host: bound.address, port: bound.port });
      });
    });
  }

  /**
   * No more clients; those that have a session stay. Those of SockJS need the port for each request, and for the one that tells
   * them of the end.
   */
  stopAccepting(): void {
    this.#reception.close();
    void this.#sockJs.allTold().then(() => this.#server.close());
  }

  /** Cuts requests that are under way; resolves when every connection has ended, at latest after `closeMaxMs`. */
  async close(): Promise<void> {
    await this.#sockJs.allTold();
    this.#sockJs.close();
    this.#server.closeAllConnections();
    await Promise.all([...this.#upgraded].map((socket) => new Promise((resolve) => socket.once('close', resolve))));
  }

  /** It has said what it wants; a connection of HTTP may do so more than once. */
  #arrived(socket: Duplex): void {
    this.#arrivals.get(socket)?.over();
    this.#arrivals.delete(socket);
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#watch(socket);
    const problem = this.#unfit(request);
    if (problem !== undefined) return this.#refuse(socket, problem);
    this.#reception.arrives(socket, () => this.#refuse(socket, { status: 503, reason: SHUTTING_DOWN }));
    const upgrade = upgradeRequest(request);
    void this.#reception.identify(upgrade).then((verdict) => {
      if ('status' in verdict) return this.#refuse(socket, verdict);
      if (socket.destroyed || socket.writableEnded) return;
      if (verdict.kind === 'user' && !this.#homes.isHere(verdict.user)) {
        socket.pause();
        return this.#handOver(socket, verdict, upgrade, Buffer.concat([head, unread(socket)]), false);
      }
      this.#accept(socket, head, { request: upgrade, verdict });
    });
  }

  /** A plain HTTP request. */
  answer(request: IncomingMessage, response: ServerResponse): void {
    const endpoint = this.#sockJs.endpointOf(request.url ?? '');
    const session = endpoint !== undefined && 'session' in endpoint ? endpoint.session : undefined;
    if (session !== undefined && this.#homes.forward(session, request, response)) return;
    if (!this.#sockJs.request(request, response)) this.#http(request, response);
  }

  /** A client of a user whose home this is, from whoever has accepted it. */
  takeOver({ user, request, bytes, isAnswered }: HandedOver, socket: Duplex): void {
    this.#watch(socket);
    const problem = isAnswered ? undefined : (this.#reception.full() ?? this.#reception.fullFor(user));
    if (problem !== undefined) return this.#refuse(socket, problem);
    this.#accept(socket, bytes, { request, verdict: user }, isAnswered);
  }

  #handOver(socket: Duplex, user: KnownUser, request: UpgradeRequest, bytes: Buffer, isAnswered: boolean): void {
    this.#reception.leaves(socket);
    this.#upgraded.delete(socket);
    this.#homes.handOver({ user, request, bytes, isAnswered }, socket);
  }

  /** Node takes its own listeners off with the upgrade; a reset before ours are on would end the process. */
  #watch(socket: Duplex): void {
    socket.on('error', cutIt);
    this.#upgraded.add(socket);
    socket.on('close', this.#ends);
  }

  #unfit(request: IncomingMessage): Problem | undefined {
    return (
      this.#reception.full() ?? brokenUpgrade(request) ?? this.#misplaced(request) ?? this.#reception.foreign(request)
    );
  }

  /** Only one target of a SockJS session is a WebSocket. */
  #misplaced(request: IncomingMessage): Problem | undefined {
    const kind = this.#sockJs.endpointOf(request.url ?? '')?.kind ?? 'websocket';
    return kind === 'websocket' ? undefined : { status: 404, reason: 'no WebSocket is served here' };
  }

  #accept(socket: Duplex, head: Uint8Array, guest: Omit<Guest, 'target'>, isAnswered = false): void {
    const { request } = guest;
    const offered = offeredProtocols(request);
    const { url } = request;
    const endpoint = this.#sockJs.endpointOf(url);
    const target = endpoint === undefined ? { path: url, protocols: offered } : this.#sockJs.targetOf(endpoint, url);
    if (!isAnswered) answerUpgrade(request, socket, offered[0]);
    // Before anybody listens: a stream that flows would give it to the first one alone.
    if (head.length > 0) socket.unshift(head);
    this.#reception.greet(socket, { ...guest, target, ...this.#wayHome(socket, guest) }, (handlers) =>
      endpoint === undefined
        ? this.#connect(socket, handlers, this.#plain)
        : new FramedSocket(serverFraming, handlers, { onNoText: refuseNoText }, (own) =>
            this.#connect(socket, own, this.#framed),
          ),
    );
  }

  /** For a client whose CONNECT may say that it belongs elsewhere. */
  #wayHome(socket: Duplex, { request, verdict }: Omit<Guest, 'target'>): Pick<Guest, 'sendHome'> {
    if (verdict.kind === 'user' || this.#homes === AT_HOME) return {};
    const recording = new Recording(socket, this.#maxMessageBytes + PRELUDE_MORE_BYTES);
    const sendHome = (user: KnownUser) => {
      if (this.#homes.isHere(user.user)) {
        recording.stop();
        return false;
      }
      socket.pause();
      this.#handOver(socket, user, request, recording.take(), true);
      return true;
    };
    return { sendHome };
  }

  #connect(socket: Duplex, handlers: SocketHandlers, options: WebSocketOptions): PlainSocket {
    const plain = new PlainSocket(options, handlers, this.#now);
    socket.off('error', cutIt); // it listens itself, and two listeners are a list
    plain.open(socket);
    return plain;
  }

  #refuse(socket: Duplex, problem: Problem): void {
    this.#reception.refused(problem);
    refuseUpgrade(socket, problem.status, problem.reason);
  }
}

/** @param factor how much longer a message may be than the frame in it */
function socketOptions({ limits, highMarkBytes, closeMaxMs }: ListenerOptions, factor: number): WebSocketOptions {
  const maxMessageBytes = factor * messageMax(limits);
  return { peer: 'client', highMarkBytes, maxMessageBytes, maxParts: PARTS_MAX, checksText: true, closeMaxMs };
}

/** One frame of the largest size, and room in which the decoder can say what is wrong with a larger one. */
function messageMax(limits: Partial<DecoderLimits>): number {
  return (limits.maxFrameBytes ?? 0) + (limits.maxHeaderBytes ?? 0);
}

/** What no WebSocket client sends, and what servers behind us could read differently (RFC 6455 §4.1, RFC 9112 §3.2). */
function brokenUpgrade(request: IncomingMessage): Problem | undefined {
  const bad = (reason: string) => ({ status: 400, reason });
  if (request.method !== 'GET') return { status: 405, reason: 'a WebSocket is asked for by GET' };
  if (!isPath(request.url)) return bad('the request target must be a path');
  if (hasBody(request)) return bad('an upgrade request has no body');
  if (isRepeated(request, 'host')) return bad('the header Host is given more than once');
  if (!isKey(request.headers['sec-websocket-key']))
    return bad('the header Sec-WebSocket-Key must be 16 octets in base64');
  if (request.headers['sec-websocket-version'] !== '13')
    return { status: 426, reason: 'WebSocket version 13 is needed' };
  if (!hasGoodProtocols(request.headers['sec-websocket-protocol']))
    return bad('the header Sec-WebSocket-Protocol must be a list of different names');
  return undefined;
}

/** RFC 6455 §4.1: tokens of HTTP, each once. */
function hasGoodProtocols(header: string | undefined): boolean {
  if (header === undefined) return true;
  const names = header.split(',').map((name) => name.trim());
  return names.every((name) => /^[\w!#$%&'*+.^`|~-]+$/.test(name)) && new Set(names).size === names.length;
}

/** STOMP's own among the sub-protocols that the client offers, best first; pods are offered no others. */
function offeredProtocols({ rawHeaders }: UpgradeRequest): string[] {
  const offered = new Set<string>();
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() !== 'sec-websocket-protocol') continue;
    for (const name of (rawHeaders[i + 1] ?? '').split(',')) offered.add(name.trim());
  }
  // Spread: a list that has grown has room for more, and this one stays as long as the session.
  return [...SUBPROTOCOLS.filter((known) => offered.has(known))];
}

function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) !== 0;
}
