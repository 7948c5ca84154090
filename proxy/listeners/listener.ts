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
import { type UpgradeRequest, upgradeRequest } from '../identity/index.ts';
import type { Log } from '../log.ts';
import { FramedSocket } from '../relay/framed-socket.ts';
import type { SocketHandlers } from '../relay/socket.ts';
import { cutIt, PlainSocket, type WebSocketOptions } from '../relay/web-socket.ts';
import { serverFraming } from '../sockjs/index.ts';
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
/** JSON makes at most six characters of an octet: \u0000. */
const JSON_FACTOR = 6;

export class Listener {
  readonly #plain: WebSocketOptions;
  /** The same for WebSockets with SockJS framing. */
  readonly #framed: WebSocketOptions;
  readonly #reception: Reception;
  readonly #sockJs: SockJsDoor;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #server: Server;
  /** A listener of sockets. One for all of them, as closures of `#upgrade` would keep its request as long as the socket. */
  readonly #leaves: (this: Duplex) => void;
  #isClosed: Promise<void> = Promise.resolve();

  constructor(options: ListenerOptions, parts: ReceptionParts & { http: HttpHandler; now: () => number }) {
    this.#plain = socketOptions(options, 1);
    this.#framed = socketOptions(options, JSON_FACTOR);
    this.#log = parts.log;
    this.#now = parts.now;
    const reception = new Reception(options, parts);
    this.#reception = reception;
    this.#leaves = function (this: Duplex) {
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
    this.#server.on('request', (request, response) => {
      if (!this.#sockJs.request(request, response)) parts.http(request, response);
    });
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
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
    this.#isClosed = this.#sockJs.allTold().then(() => new Promise((resolve) => this.#server.close(() => resolve())));
  }

  /** Cuts requests that are under way; resolves when every connection has ended, at latest after `closeMaxMs`. */
  async close(): Promise<void> {
    await this.#sockJs.allTold();
    this.#sockJs.close();
    this.#server.closeAllConnections();
    await this.#isClosed;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Node takes its own listeners off with the upgrade; a reset before ours are on would end the process.
    socket.on('error', cutIt);
    const problem = this.#unfit(request);
    if (problem !== undefined) return this.#refuse(socket, problem);
    this.#reception.arrives(socket, () => this.#refuse(socket, { status: 503, reason: SHUTTING_DOWN }));
    socket.on('close', this.#leaves);
    const upgrade = upgradeRequest(request);
    void this.#reception.identify(upgrade).then((verdict) => {
      if ('status' in verdict) return this.#refuse(socket, verdict);
      if (socket.destroyed || socket.writableEnded) return;
      this.#accept(request, socket, head, { request: upgrade, verdict });
    });
  }

  #unfit(request: IncomingMessage): Problem | undefined {
    return (
      this.#reception.full() ?? brokenUpgrade(request) ?? this.#misplaced(request) ?? this.#reception.foreign(request)
    );
  }

  /** Only one target of a SockJS session is a WebSocket. */
  #misplaced(request: IncomingMessage): Problem | undefined {
    const kind = this.#sockJs.endpointOf(request)?.kind ?? 'websocket';
    return kind === 'websocket' ? undefined : { status: 404, reason: 'no WebSocket is served here' };
  }

  #accept(request: IncomingMessage, socket: Duplex, head: Buffer, guest: Omit<Guest, 'target'>): void {
    const offered = offeredProtocols(guest.request);
    const endpoint = this.#sockJs.endpointOf(request);
    const { url } = guest.request;
    const target = endpoint === undefined ? { path: url, protocols: offered } : this.#sockJs.targetOf(endpoint, url);
    answerUpgrade(request, socket, offered[0]);
    this.#reception.greet(socket, { ...guest, target }, (handlers) =>
      endpoint === undefined
        ? this.#connect(socket, head, handlers, this.#plain)
        : new FramedSocket(serverFraming, { ...handlers, onNoText: refuseNoText }, (own) =>
            this.#connect(socket, head, own, this.#framed),
          ),
    );
  }

  #connect(socket: Duplex, head: Buffer, handlers: SocketHandlers, options: WebSocketOptions): PlainSocket {
    const plain = new PlainSocket(options, handlers, this.#now);
    plain.open(socket, head);
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
  return SUBPROTOCOLS.filter((known) => offered.has(known));
}

function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || Number(request.headers['content-length'] ?? 0) !== 0;
}
