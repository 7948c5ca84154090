/**
 * HTTP requests from worker to worker: a request of a connection is passed on whole to the worker that has to answer it.
 *
 * The door listens on this machine only, on a port that the system chooses, and opens to a secret that is made anew with each start
 * of the proxy: what is passed on carries the address of its client, which identity believes.
 */
import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { Agent, createServer, request as httpRequest, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { cameFrom, upgradeRequest } from '../identity/index.ts';
import type { HttpHandler } from '../listeners/listener.ts';
import { refuse } from '../listeners/refusal.ts';

const SECRET = 'holdfast-inner-secret';
const CAME_FROM = 'holdfast-inner-peer';
const HEADER_MAX_BYTES = 20 * 1024;
const LOOPBACK = '127.0.0.1';

/** @param answer what came through the door. @returns the port, and how to close it */
export async function openInnerDoor(secret: string, answer: HttpHandler) {
  // What an HTTP/1.0 client has left out is not missed here either.
  const server = createServer({ maxHeaderSize: HEADER_MAX_BYTES, requireHostHeader: false }, (request, response) => {
    if (!isOurs(request, secret)) return refuse(response, 403, 'this port is for processes of the proxy');
    const [from = ''] = request.headersDistinct[CAME_FROM] ?? [];
    strip(request, [SECRET, CAME_FROM]);
    cameFrom(request, from);
    answer(request, response);
  });
  // Exclusive: in a worker, a port would else be one for all of them.
  server.listen({ host: LOOPBACK, port: 0, exclusive: true });
  await once(server, 'listening');
  const close = () => {
    server.close();
    server.closeAllConnections();
  };
  return { port: (server.address() as AddressInfo).port, close };
}

export class InnerClient {
  readonly #secret: string;
  readonly #agent = new Agent({ keepAlive: true });

  constructor(secret: string) {
    this.#secret = secret;
  }

  /** Passes a request on, its body too, and its answer back, as they come. */
  pass(port: number, request: IncomingMessage, response: ServerResponse): void {
    const { method = 'GET', url = '/' } = request;
    const headers = [...without(request.rawHeaders, ['expect', SECRET, CAME_FROM])];
    headers.push(SECRET, this.#secret, CAME_FROM, upgradeRequest(request).remoteAddress);
    const passed = httpRequest({ host: LOOPBACK, port, method, path: url, headers, agent: this.#agent });
    passed.on('response', (answer) => relayAnswer(answer, response));
    passed.on('error', () => {
      if (response.headersSent) response.destroy();
      else refuse(response, 503, 'the process that has this session is being started again');
    });
    response.once('close', () => passed.destroy());
    request.pipe(passed);
  }

  close(): void {
    this.#agent.destroy();
  }
}

function relayAnswer(answer: IncomingMessage, response: ServerResponse): void {
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, without(answer.rawHeaders, PER_CONNECTION));
  response.flushHeaders();
  answer.pipe(response);
  answer.once('close', () => {
    if (!answer.complete) response.destroy();
  });
}

/** Said anew on each connection. */
const PER_CONNECTION = ['connection', 'keep-alive', 'transfer-encoding'];

function without(rawHeaders: readonly string[], names: readonly string[]): string[] {
  const isLeftOut = (index: number) => names.includes((rawHeaders[index - (index % 2)] ?? '').toLowerCase());
  return rawHeaders.filter((_, index) => !isLeftOut(index));
}

function strip(request: IncomingMessage, names: readonly string[]): void {
  request.rawHeaders = without(request.rawHeaders, names);
  for (const name of names) delete request.headers[name];
}

function isOurs(request: IncomingMessage, secret: string): boolean {
  const given = Buffer.from(request.headersDistinct[SECRET]?.[0] ?? '');
  const expected = Buffer.from(secret);
  return given.length === expected.length && timingSafeEqual(given, expected);
}
