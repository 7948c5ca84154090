/**
 * The admin port: metrics, health, the ring and the gateway, on a port of its own that clients never reach.
 *
 * Requests are small and come from machines, so time limits are strict. A browser that was sent here by a foreign page is
 * turned away when it wants to change something: nobody who uses this port does so from a page of another origin.
 */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '../log.ts';
import { answerError, answerText, HttpError } from './answer.ts';
import { createFactsDoor, type Health, type Scrape } from './facts.ts';
import { type Door, findRoute, type Route } from './route.ts';

export interface AdminOptions {
  readonly scrape: Scrape;
  readonly health: Health;
  /** What else stands on the port: the ring, the gateway. Closed with the server. */
  readonly doors: readonly Door[];
  readonly log: Log;
  /** Default 12,000: the gateway's 10,000 messages, one connection each, and room for all who look on. */
  readonly maxConnections?: number;
}

export interface HostPort {
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

export interface Admin {
  /** Rejects when the address cannot be had. Port 0 lets the system choose. @returns where it listens */
  listen(at: HostPort): Promise<HostPort>;
  /** Takes no new connections, ends streams, gives requests CLOSE_GRACE_MS to end, then cuts them. */
  close(): Promise<void>;
}

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** Producers and Prometheus come back sooner than this; Prometheus scrapes each 15 to 60 s. */
const KEEP_ALIVE_MS = 65_000;
/** How often Node looks for requests that took too long: their limits hold to within this. */
const CHECK_MS = 1_000;
const MAX_CONNECTIONS = 12_000;
/**
 * TCP connections that the system may accept before we do: all lanes of a producer that begin at once. What overflows is not
 * refused but comes again after 1, 3, 7, … seconds (Linux), which is most of the time that a message has.
 */
const BACKLOG = 4096;
/** Long enough for answers that are being written; messages on their way were ended before by closing their producer. */
export const CLOSE_GRACE_MS = 2_000;

export function createAdmin(options: AdminOptions): Admin {
  return new AdminServer(options);
}

class AdminServer implements Admin {
  readonly #doors: readonly Door[];
  readonly #routes: readonly Route[];
  readonly #log: Log;
  readonly #server: Server;
  #closing: Promise<void> | undefined;

  constructor({ scrape, health, doors, log, maxConnections = MAX_CONNECTIONS }: AdminOptions) {
    this.#doors = doors;
    const offered = [createFactsDoor(scrape, health), ...doors].flatMap((door) => door.routes);
    this.#routes = [indexOf(offered), ...offered];
    this.#log = log;
    const timeouts = { headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS };
    const intervals = { keepAliveTimeout: KEEP_ALIVE_MS, connectionsCheckingInterval: CHECK_MS };
    this.#server = createServer(
      { ...timeouts, ...intervals },
      (request, response) => void this.#serve(request, response),
    );
    this.#server.maxConnections = maxConnections;
  }

  async listen({ host, port }: HostPort): Promise<HostPort> {
    this.#server.listen({ host, port, backlog: BACKLOG });
    await once(this.#server, 'listening');
    // From now on: connections that cannot be accepted (no file descriptors left).
    this.#server.on('error', (error) => this.#log.warn({ err: error }, 'admin port'));
    const bound = this.#server.address() as AddressInfo;
    return { host: bound.address, port: bound.port };
  }

  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  async #close(): Promise<void> {
    for (const door of this.#doors) door.close();
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    const cut = setTimeout(() => this.#server.closeAllConnections(), CLOSE_GRACE_MS);
    await closed;
    clearTimeout(cut);
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    response.on('error', () => {}); // the client has gone; whoever writes sees `destroyed`
    if (this.#closing !== undefined) response.setHeader('connection', 'close');
    try {
      const { route, params, query } = findRoute(this.#routes, request.method ?? '', request.url ?? '');
      if (route.method !== 'GET') refuseForeignPages(request);
      await route.handle({ request, response, params, query });
    } catch (error) {
      answerError(response, error instanceof HttpError ? error : this.#unexpected(error));
    }
  }

  #unexpected(error: unknown): HttpError {
    this.#log.error({ err: error }, 'admin request failed');
    return new HttpError(500, 'internal', 'the proxy made a mistake; its log says more');
  }
}

/** Browsers send Origin with every POST; nothing else has a reason to. */
function refuseForeignPages({ headers }: IncomingMessage): void {
  const { origin, host } = headers;
  if (origin === undefined || origin === `http://${host}` || origin === `https://${host}`) return;
  throw new HttpError(403, 'foreign-origin', 'pages of other origins may not use this port');
}

function indexOf(routes: readonly Route[]): Route {
  const width = Math.max(...routes.map(({ method, path }) => `${method} ${path}`.length));
  const lines = routes.map(({ method, path, help }) => `${`${method} ${path}`.padEnd(width)}  ${help}\n`);
  const text = `Holdfast, admin port\n\n${lines.join('')}`;
  const handle: Route['handle'] = ({ response }) =>
    answerText(response, 200, text, { 'content-type': 'text/plain; charset=utf-8' });
  return { method: 'GET', path: '/', help: 'this list', handle };
}
