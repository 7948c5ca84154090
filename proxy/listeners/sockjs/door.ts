/**
 * The door for SockJS clients: `/info`, and the transports over HTTP. Each request is judged as the upgrade of a WebSocket is:
 * by its origin, and by its user, who must be the one that opened the session.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { SUBPROTOCOLS } from '../../../stomp/index.ts';
import { type UpgradeRequest, upgradeRequest } from '../../identity/index.ts';
import { type Guest, type Reception, SHUTTING_DOWN } from '../reception.ts';
import { isPath, isRepeated } from '../unambiguous.ts';
import {
  answer,
  answerInfo,
  answerMethodNotAllowed,
  answerPreflight,
  answerProblem,
  commonHeaders,
} from './answers.ts';
import { type Endpoint, endpointOf, type SessionKind, upstreamPath } from './endpoint.ts';
import { HttpSocket, type HttpSocketOptions } from './http-socket.ts';
import { refuseNoText } from './no-text.ts';
import { transports } from './receiver.ts';

export interface SockJsOptions {
  /** Endpoints, without a slash at the end. */
  readonly paths: readonly string[];
  /** Where pods take the WebSockets of SockJS clients; default: the endpoint's own path and `/websocket`. */
  readonly upstreamPath: string | undefined;
  readonly socket: HttpSocketOptions;
}

/** A SockJS session over HTTP. Its socket is there when its user is known as far as the first request tells. */
interface Client {
  readonly request: UpgradeRequest;
  user: string | undefined;
  socket: HttpSocket | undefined;
}

type SessionEndpoint = Extract<Endpoint, { session: string }>;

const METHODS: Readonly<Record<Exclude<SessionKind, 'unknown'>, string>> = {
  websocket: 'GET',
  xhr: 'POST',
  xhr_streaming: 'POST',
  xhr_send: 'POST',
  eventsource: 'GET',
};

const NO_SESSION = { status: 404, reason: 'no such SockJS session' };

export class SockJsDoor {
  readonly #options: SockJsOptions;
  readonly #reception: Reception;
  readonly #now: () => number;
  readonly #clients = new Map<string, Client>();
  /** Sockets whose clients do not know yet that they are closed. */
  readonly #untold = new Set<HttpSocket>();
  readonly #onAllTold = new Set<() => void>();

  constructor(options: SockJsOptions, reception: Reception, now: () => number) {
    this.#options = options;
    this.#reception = reception;
    this.#now = now;
  }

  endpointOf(url: string): Endpoint | undefined {
    return endpointOf(this.#options.paths, url);
  }

  /** How the pods of a client of this endpoint are asked. A client without sub-protocols may talk to pods that need one. */
  targetOf({ prefix }: Endpoint, url: string) {
    return { path: upstreamPath(prefix, url, this.#options.upstreamPath), protocols: SUBPROTOCOLS };
  }

  /** @returns whether the request is for SockJS, and is or will be answered */
  request(request: IncomingMessage, response: ServerResponse): boolean {
    const endpoint = this.endpointOf(request.url ?? '');
    if (endpoint === undefined || !isPath(request.url)) return false;
    const problem = this.#unfit(request, endpoint);
    if (problem !== undefined) {
      this.#reception.refused(problem);
      answerProblem(response, problem);
    } else if (request.method === 'OPTIONS') answerPreflight(request, response, `OPTIONS, ${methodOf(endpoint)}`);
    else if (request.method !== methodOf(endpoint)) answerMethodNotAllowed(response, methodOf(endpoint));
    else if (endpoint.kind === 'info') answerInfo(request, response);
    else void this.#enter(endpoint, request, response);
    return true;
  }

  /** Resolves when every client over HTTP has been told that its session is closed, or has stayed away. */
  allTold(): Promise<void> {
    if (this.#untold.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onAllTold.add(resolve));
  }

  /** Forgets every session. */
  close(): void {
    for (const { socket } of [...this.#clients.values()]) socket?.abort();
  }

  #unfit(request: IncomingMessage, { kind }: Endpoint) {
    if (isRepeated(request, 'host')) return { status: 400, reason: 'the header Host is given more than once' };
    if (kind === 'unknown') return { status: 404, reason: 'this SockJS transport is not offered' };
    return this.#reception.foreign(request);
  }

  async #enter(endpoint: SessionEndpoint, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { kind } = endpoint;
    if (kind === 'websocket') return answer(request, response, 400, 'Can "Upgrade" only to "WebSocket".');
    const key = `${endpoint.prefix} ${endpoint.session}`;
    const client = this.#clients.get(key);
    const problem =
      client === undefined
        ? kind === 'xhr_send'
          ? NO_SESSION
          : await this.#open(key, endpoint, request, response)
        : await this.#recognise(client, request);
    const socket = this.#clients.get(key)?.socket;
    if (problem !== undefined) answerProblem(response, problem);
    else if (socket === undefined) answerProblem(response, NO_SESSION);
    else if (kind === 'xhr_send') socket.take(request, response);
    else if (kind !== 'unknown') socket.receive(response, transports[kind], commonHeaders(request));
  }

  /** Another user is told no more than that there is no such session. */
  async #recognise(client: Client, request: IncomingMessage) {
    return (await this.#reception.isSameUser(upgradeRequest(request), client)) ? undefined : NO_SESSION;
  }

  async #open(key: string, endpoint: SessionEndpoint, request: IncomingMessage, response: ServerResponse) {
    const problem = this.#reception.full();
    if (problem !== undefined) return problem;
    const asked = openingRequest(request);
    const client: Client = { request: asked, user: undefined, socket: undefined };
    this.#clients.set(key, client);
    this.#reception.arrives(client, () => answerProblem(response, { status: 503, reason: SHUTTING_DOWN }));
    const verdict = await this.#reception.identify(asked);
    if ('status' in verdict || response.destroyed) {
      this.#reception.leaves(client);
      this.#clients.delete(key);
      return 'status' in verdict ? verdict : NO_SESSION;
    }
    this.#greet(key, client, { request: asked, verdict, target: this.targetOf(endpoint, asked.url) });
    return undefined;
  }

  #greet(key: string, client: Client, guest: Guest): void {
    const socket = this.#reception.greet(
      client,
      guest,
      (handlers) =>
        new HttpSocket(
          this.#options.socket,
          handlers,
          {
            onNoText: refuseNoText,
            onTold: () => this.#told(socket),
            onForgotten: () => this.#clients.delete(key),
          },
          this.#now,
        ),
      (user) => {
        client.user = user;
      },
    );
    client.socket = socket;
    if (guest.verdict.kind === 'user') client.user = guest.verdict.user;
    this.#untold.add(socket);
  }

  #told(socket: HttpSocket): void {
    this.#untold.delete(socket);
    if (this.#untold.size === 0) for (const resolve of this.#onAllTold) resolve();
  }
}

function methodOf({ kind }: Endpoint): string {
  return kind === 'info' || kind === 'unknown' ? 'GET' : METHODS[kind];
}

/** What a request says of its body is no part of an upgrade. */
function openingRequest(request: IncomingMessage): UpgradeRequest {
  const asked = upgradeRequest(request);
  const rawHeaders = asked.rawHeaders.filter((_, index) => {
    const name = asked.rawHeaders[index - (index % 2)] ?? '';
    return !/^(content-.*|expect)$/i.test(name);
  });
  return { ...asked, rawHeaders };
}
