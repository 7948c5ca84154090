/**
 * A fake kube-apiserver for EndpointSlices: TLS, bearer tokens, list with paging, watch with history, bookmarks and timeouts, and
 * every fault that discovery must live through. kubectl can list and watch it, which is the proof that it is no fake of our own
 * misunderstandings only.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { DISCOVERY, listObject, statusObject } from './answers.ts';
import { type Authority, makeAuthority } from './certificate.ts';
import { type HistoryEvent, SliceHistory, type SliceObject } from './slice-history.ts';
import { WatchStream } from './watch-stream.ts';

/** Instead of the right answer. */
export type Fault =
  | { readonly status: number; readonly retryAfter?: number; readonly message?: string; readonly details?: object }
  /** The connection is reset before an answer. */
  | { readonly cut: true }
  /** No answer ever. */
  | { readonly hang: true }
  /** 200 with this body. */
  | { readonly body: string }
  /** The right answer, later. */
  | { readonly delayMs: number };

export interface Request {
  readonly verb: 'list' | 'watch';
  readonly query: URLSearchParams;
  readonly token: string | undefined;
}

export interface FakeApiOptions {
  readonly authority?: Authority;
  /** Accepted bearer tokens. */
  readonly tokens?: string[];
  readonly port?: number;
}

export async function startFakeApi(options: FakeApiOptions = {}): Promise<FakeApi> {
  const api = new FakeApi(options.authority ?? makeAuthority(), options.tokens ?? ['good-token']);
  await api.listen(options.port ?? 0);
  return api;
}

export class FakeApi {
  history = new SliceHistory();
  readonly requests: Request[] = [];
  readonly watches = new Set<WatchStream>();
  readonly tokens: Set<string>;
  /** How a watch from a version before the history is refused. */
  gone: 'http' | 'stream' = 'stream';
  /** A list with a limit gives at most so many items a page. */
  pageSize = Infinity;
  /** Lines of watches are written in pieces of this many bytes; 0: whole. */
  chunkBytes = 0;
  /** Connections accepted since the start. */
  connections = 0;
  #authority: Authority;
  #server: Server;
  #port = 0;
  readonly #sockets = new Set<Socket>();
  readonly #faults: { verb: 'list' | 'watch'; fault: Fault; left: number }[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(authority: Authority, tokens: string[]) {
    this.#authority = authority;
    this.tokens = new Set(tokens);
    this.#server = this.#makeServer();
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  get caPem(): string {
    return this.#authority.caPem;
  }

  get openConnections(): number {
    return this.#sockets.size;
  }

  async listen(port: number): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** As a crash: every connection is gone and nobody listens. */
  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** After `stop`: on the same port, with what it knew; maybe with certificates of another authority. */
  async restart(authority = this.#authority): Promise<void> {
    this.#authority = authority;
    this.#server = this.#makeServer();
    await this.listen(this.#port);
  }

  /** The next `times` requests of this verb get the fault; faults of one verb follow each other. */
  fail(verb: 'list' | 'watch', fault: Fault, times = 1): void {
    this.#faults.push({ verb, fault, left: times });
  }

  heal(): void {
    this.#faults.length = 0;
  }

  /** Resolves as soon as the condition holds; looked at after every request, watch and connection. */
  async until(condition: (api: FakeApi) => boolean): Promise<void> {
    while (!condition(this)) {
      await new Promise<void>((resolve) => {
        const wake = () => {
          this.#waiting.delete(wake);
          resolve();
        };
        this.#waiting.add(wake);
      });
    }
  }

  count(verb: 'list' | 'watch'): number {
    return this.requests.filter((request) => request.verb === verb).length;
  }

  bookmark(): void {
    for (const watch of this.watches) watch.bookmark(this.history.version);
  }

  #changed(): void {
    for (const wake of [...this.#waiting]) wake();
  }

  #makeServer(): Server {
    const { certPem, keyPem } = this.#authority.issue();
    const server = createServer({ cert: certPem, key: keyPem }, (request, response) => this.#route(request, response));
    server.on('secureConnection', () => {
      this.connections += 1;
    });
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => {
        this.#sockets.delete(socket);
        this.#changed();
      });
    });
    return server;
  }

  #route(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', this.url);
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1];
    if (token === undefined || !this.tokens.has(token)) {
      this.#record(url, token);
      return sendStatus(response, 401, 'Unauthorized');
    }
    const discovery = DISCOVERY[url.pathname];
    if (discovery !== undefined) return send(response, 200, discovery);
    const namespace = /^\/apis\/discovery\.k8s\.io\/v1(?:\/namespaces\/([^/]+))?\/endpointslices$/.exec(url.pathname);
    if (namespace === null) return sendStatus(response, 404, 'the server could not find the requested resource');
    const { verb, query } = this.#record(url, token);
    const fault = this.#faultFor(verb);
    if (fault !== undefined && !('delayMs' in fault)) return breakAnswer(response, fault);
    const matches = matcher(namespace[1], query.get('labelSelector'));
    const answer = () =>
      verb === 'watch' ? this.#watch(response, query, matches) : this.#list(response, query, matches);
    if (fault === undefined) answer();
    else setTimeout(answer, fault.delayMs);
  }

  #record(url: URL, token: string | undefined): Request {
    const watching = ['1', 'true'].includes(url.searchParams.get('watch') ?? '');
    const request: Request = { verb: watching ? 'watch' : 'list', query: url.searchParams, token };
    this.requests.push(request);
    this.#changed();
    return request;
  }

  #faultFor(verb: 'list' | 'watch'): Fault | undefined {
    const index = this.#faults.findIndex((entry) => entry.verb === verb);
    const entry = this.#faults[index];
    if (entry === undefined) return undefined;
    entry.left -= 1;
    if (entry.left === 0) this.#faults.splice(index, 1);
    return entry.fault;
  }

  #list(response: ServerResponse, query: URLSearchParams, matches: (object: SliceObject) => boolean): void {
    const limit = query.has('limit') ? Math.min(this.pageSize, Number(query.get('limit'))) : Infinity;
    const [version, offset] = (query.get('continue') ?? `${this.history.version}:0`).split(':').map(Number);
    if (version === undefined || offset === undefined || version < this.history.oldest) {
      return sendStatus(response, 410, 'The provided continue parameter is too old');
    }
    const all = this.history.all().filter(matches);
    const next = offset + limit < all.length ? `${version}:${offset + limit}` : undefined;
    send(response, 200, listObject(all.slice(offset, offset + limit), version, next));
  }

  #watch(response: ServerResponse, query: URLSearchParams, matches: (object: SliceObject) => boolean): void {
    const from = Number(query.get('resourceVersion') || this.history.version);
    if (from > this.history.version) return sendTooLarge(response, from, this.history.version);
    const tooOld = from < this.history.oldest;
    if (tooOld && this.gone === 'http') return sendStatus(response, 410, `too old resource version: ${from}`);
    const stream = new WatchStream(response, query, this.chunkBytes);
    if (tooOld) {
      stream.error(410);
      return stream.end();
    }
    const pass = (event: HistoryEvent) => matches(event.object) && stream.send(event);
    this.history.since(from).forEach(pass);
    const unlisten = this.history.listen(pass);
    const timeoutSeconds = Number(query.get('timeoutSeconds'));
    const timer = timeoutSeconds > 0 ? setTimeout(() => stream.end(), timeoutSeconds * 1000) : undefined;
    this.watches.add(stream);
    response.on('close', () => {
      clearTimeout(timer);
      unlisten();
      this.watches.delete(stream);
      this.#changed();
    });
    this.#changed();
  }
}

function matcher(namespace: string | undefined, selector: string | null): (object: SliceObject) => boolean {
  const wanted = (selector ?? '').split(',').filter((part) => part !== '');
  return ({ metadata }) =>
    (namespace === undefined || metadata.namespace === namespace) &&
    wanted.every((part) => {
      const [label = '', value = ''] = part.split(/==?/);
      return metadata.labels[label] === value;
    });
}

function breakAnswer(response: ServerResponse, fault: Exclude<Fault, { delayMs: number }>): void {
  if ('hang' in fault) return;
  if ('cut' in fault) return void response.socket?.destroy();
  if ('body' in fault) return void response.writeHead(200, { 'Content-Type': 'application/json' }).end(fault.body);
  if (fault.retryAfter !== undefined) response.setHeader('Retry-After', fault.retryAfter);
  sendStatus(response, fault.status, fault.message ?? `fault ${fault.status}`, fault.details);
}

/** A version from the future: another replica knows it, or it is from before a backup was restored. */
function sendTooLarge(response: ServerResponse, from: number, current: number): void {
  const message = `Timeout: Too large resource version: ${from}, current: ${current}`;
  const causes = [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }];
  sendStatus(response, 504, message, { causes, retryAfterSeconds: 1 });
}

function sendStatus(response: ServerResponse, code: number, message: string, details?: object): void {
  send(response, code, statusObject(code, message, details));
}

function send(response: ServerResponse, code: number, body: object): void {
  const text = JSON.stringify(body);
  response.writeHead(code, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) }).end(text);
}
