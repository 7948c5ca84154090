/**
 * The door for clients: WebSocket upgrades become sessions, plain HTTP requests go to the user's pod.
 *
 * Whatever is wrong with a request is said before the upgrade, as HTTP, and nothing of it is passed on.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import { type Decoder, type DecoderLimits, type Frame, SUBPROTOCOLS } from '../../stomp/index.ts';
import {
  type Identifier,
  type KnownUser,
  type OriginCheck,
  type UpgradeRequest,
  upgradeRequest,
  type Verdict,
} from '../identity/index.ts';
import type { Log } from '../log.ts';
import type { Relay } from '../relay/relay.ts';
import { Socket, type SocketOptions } from '../relay/socket.ts';
import type { Switchboard } from '../relay/switchboard.ts';
import { Greeting, type Refused } from './greeting.ts';
import { refuseUpgrade } from './refusal.ts';
import { isPath, isRepeated } from './unambiguous.ts';

export interface ListenerOptions {
  readonly limits: Partial<DecoderLimits>;
  readonly connectMaxMs: number;
  /** How long a client may take to answer a close frame before the TCP connection is cut. */
  readonly closeMaxMs: number;
  readonly socket: SocketOptions;
}

/** Who wants to know of clients that did not become sessions. */
export interface DoorObserver {
  denied(reason: string): void;
  protocolError(code: string): void;
}

/** Plain HTTP beside WebSocket. */
export type HttpHandler = (request: IncomingMessage, response: ServerResponse) => void;

/** Node's defaults (60 s, 30 s) leave a slow client too long on a socket; our own clients send their headers at once. */
const HEADERS_TIMEOUT_MS = 10_000;
const CHECK_INTERVAL_MS = 2_000;
/** Cookies and tokens fit; more is an attack. */
const HEADER_MAX_BYTES = 16 * 1024;
/** Bytes alone are no bound on memory: so many fragments and chunks may make up one message (CVE-2026-48779, -62389). */
const FRAGMENTS_MAX = 64;
const CHUNKS_MAX = 1024;
/** TCP connections that the system may accept before we do: a wave of clients that come back after a restart. */
const BACKLOG = 4096;
/** RFC 6455 §7.4.1 and its registry. */
const TRY_AGAIN_LATER = 1013;

const SHUTTING_DOWN = 'the proxy is shutting down; connect again';

export class Listener {
  readonly #options: ListenerOptions;
  readonly #board: Switchboard;
  readonly #identifier: Identifier;
  readonly #checkOrigin: OriginCheck;
  readonly #observer: DoorObserver;
  readonly #log: Log;
  readonly #now: () => number;
  readonly #server: Server;
  readonly #webSockets: WebSocketServer;
  /** Clients on their way to a session, and how to turn each away. They count as sessions, or they would be without bound. */
  readonly #arriving = new Map<Duplex, () => void>();
  #isOpen = true;
  #isClosed: Promise<void> = Promise.resolve();

  constructor(
    options: ListenerOptions,
    parts: {
      board: Switchboard;
      identifier: Identifier;
      checkOrigin: OriginCheck;
      observer: DoorObserver;
      http: HttpHandler;
      log: Log;
      now: () => number;
    },
  ) {
    this.#options = options;
    this.#board = parts.board;
    this.#identifier = parts.identifier;
    this.#checkOrigin = parts.checkOrigin;
    this.#observer = parts.observer;
    this.#log = parts.log;
    this.#now = parts.now;
    this.#server = createServer({
      maxHeaderSize: HEADER_MAX_BYTES,
      headersTimeout: HEADERS_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      // Java's HttpClient and curl offer h2c with plain requests; Node before 24.9 cannot tell and answers them 400.
      shouldUpgradeCallback: (request) => request.headers.upgrade?.toLowerCase() === 'websocket',
    });
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: messageMax(options.limits),
      maxFragments: FRAGMENTS_MAX,
      maxBufferedChunks: CHUNKS_MAX,
      ...{ closeTimeout: options.closeMaxMs },
      handleProtocols: (offered) => SUBPROTOCOLS.find((known) => offered.has(known)) ?? false,
    });
    this.#server.on('request', parts.http);
    this.#webSockets.on('wsClientError', (error, socket) => this.#refuse(socket, 400, error.message));
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

  /** No more clients; those that have a session stay. */
  stopAccepting(): void {
    this.#isOpen = false;
    this.#isClosed = new Promise((resolve) => this.#server.close(() => resolve()));
    for (const turnAway of [...this.#arriving.values()]) turnAway();
  }

  /** Cuts requests that are under way; resolves when every connection has ended, at latest after `closeMaxMs`. */
  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await this.#isClosed;
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Node takes its own listeners off with the upgrade; a reset before ours are on would end the process.
    socket.on('error', () => socket.destroy());
    const problem = this.#unfit(request);
    if (problem !== undefined) return this.#refuse(socket, problem.status, problem.reason);
    this.#arriving.set(socket, () => this.#refuse(socket, 503, SHUTTING_DOWN));
    socket.once('close', () => this.#arriving.delete(socket));
    const upgrade = upgradeRequest(request);
    this.#identifier.atUpgrade(upgrade).then(
      (verdict) => this.#judge(request, upgrade, socket, head, verdict),
      (error: unknown) => {
        this.#failed(error);
        this.#refuse(socket, 500, 'the user could not be identified');
      },
    );
  }

  #unfit(request: IncomingMessage): { status: number; reason: string } | undefined {
    if (!this.#isOpen) return { status: 503, reason: SHUTTING_DOWN };
    if (this.#board.isFull(this.#arriving.size)) {
      return { status: 503, reason: 'the proxy has as many sessions as it may have (limits.sessions)' };
    }
    const broken = brokenUpgrade(request);
    if (broken !== undefined) return broken;
    const foreign = this.#checkOrigin(request);
    return foreign === undefined ? undefined : { status: 403, reason: foreign };
  }

  #judge(request: IncomingMessage, upgrade: UpgradeRequest, socket: Duplex, head: Buffer, verdict: Verdict): void {
    if (verdict.kind === 'denied') return this.#refuse(socket, verdict.status, verdict.reason);
    if (socket.destroyed || socket.writableEnded) return;
    if (verdict.kind === 'user' && this.#board.isFullFor(verdict.user)) {
      return this.#refuse(socket, 429, 'this user has as many sessions as a user may have (limits.sessions-per-user)');
    }
    this.#webSockets.handleUpgrade(request, socket, head, (ws) => this.#greet(ws, socket, upgrade, verdict));
  }

  #greet(ws: WebSocket, duplex: Duplex, upgrade: UpgradeRequest, verdict: Verdict): void {
    const handlers = {
      onMessage: (bytes: Uint8Array, binary: boolean) => greeting.message(bytes, binary),
      onClose: (code: number, reason: string, fault?: string) => {
        if (fault !== undefined) this.#refused(fault, reason);
        greeting.closed(code);
      },
      onDrain: () => greeting.drained(),
    };
    const socket = new Socket(ws, this.#options.socket, handlers, this.#now);
    const greeting = new Greeting(socket, verdict, this.#options, {
      identify: (frame) => this.#identifier.atConnect(upgrade, frame),
      failed: (error) => this.#failed(error),
      open: (user, connect, binary, decoder) => this.#open(user, upgrade, connect, binary, socket, decoder),
      refused: (reason, detail) => this.#refused(reason, detail),
      over: () => this.#arriving.delete(duplex),
    });
    this.#arriving.set(duplex, () => greeting.shutdown());
  }

  #open(
    user: KnownUser,
    upgrade: UpgradeRequest,
    connect: Frame,
    binary: boolean,
    socket: Socket,
    decoder: Decoder,
  ): Relay | Refused {
    if (this.#board.isFullFor(user.user)) {
      const refused = 'This user has as many sessions as a user may have (limits.sessions-per-user).';
      return { refused, code: TRY_AGAIN_LATER };
    }
    const { set, drop } = this.#identifier.connectHeaders(user.user);
    return this.#board.open({
      ...{ user: user.user, ringKey: user.ringKey, connect, binary, socket, decoder },
      target: {
        path: upgrade.url,
        protocols: offeredProtocols(upgrade),
        headers: this.#identifier.upstreamHeaders(upgrade, user.user),
      },
      connectHeaders: set,
      dropConnectHeader: drop,
    });
  }

  #refused(reason: string, detail: string): void {
    if (reason === 'denied' || reason === 'identity') this.#observer.denied(reason);
    else this.#observer.protocolError(reason);
    this.#log.info({ reason, detail }, 'client turned away');
  }

  #failed(error: unknown): void {
    this.#log.error({ error: String(error) }, 'a user could not be identified');
  }

  #refuse(socket: Duplex, status: number, reason: string): void {
    if (status === 401 || status === 403) this.#observer.denied(status === 401 ? 'unauthorized' : 'forbidden');
    this.#log.info({ status, reason }, 'upgrade refused');
    refuseUpgrade(socket, status, reason);
  }
}

/** One frame of the largest size, and room in which the decoder can say what is wrong with a larger one. */
function messageMax(limits: Partial<DecoderLimits>): number {
  return (limits.maxFrameBytes ?? 0) + (limits.maxHeaderBytes ?? 0);
}

/** What no WebSocket client sends, and what servers behind us could read differently (RFC 6455 §4.1, RFC 9112 §3.2). */
function brokenUpgrade(request: IncomingMessage): { status: number; reason: string } | undefined {
  const bad = (reason: string) => ({ status: 400, reason });
  if (request.method !== 'GET') return { status: 405, reason: 'a WebSocket is asked for by GET' };
  if (!isPath(request.url)) return bad('the request target must be a path');
  if (hasBody(request)) return bad('an upgrade request has no body');
  if (isRepeated(request, 'host')) return bad('the header Host is given more than once');
  if (request.headers['sec-websocket-version'] !== '13')
    return { status: 426, reason: 'WebSocket version 13 is needed' };
  return undefined;
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
