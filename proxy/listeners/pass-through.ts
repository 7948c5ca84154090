/**
 * Plain HTTP beside WebSocket: a request goes to the pod that owns its user, so REST and STOMP of one user meet in one
 * process. Identity headers of clients are replaced as at an upgrade.
 */
import { Agent, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { createProxyServer, type ProxyServer } from 'http-proxy-3';
import type { Pod } from '../discovery/index.ts';
import { type Identifier, type KnownUser, upgradeRequest } from '../identity/index.ts';
import type { Log } from '../log.ts';
import type { Homes } from './homes.ts';
import type { HttpHandler } from './listener.ts';
import { refuse } from './refusal.ts';
import { isPath, isRepeated } from './unambiguous.ts';

export interface PassThroughOptions {
  readonly tls: boolean;
  readonly hostHeader: string | undefined;
  /** From dialling a pod to its TCP (and TLS) connection. */
  readonly connectMaxMs: number;
  /** From the request to the first byte of the pod's answer, and between two of them. */
  readonly answerMaxMs: number;
}

export interface PassThroughParts {
  readonly identifier: Identifier;
  readonly podFor: (user: KnownUser) => Pod | undefined;
  readonly answered: (status: number) => void;
  readonly denied: (reason: string) => void;
  /** The pod of a user is known where the user's sessions are. */
  readonly homes: Pick<Homes, 'forward' | 'isPassedOn'>;
  readonly log: Log;
}

/** Idle connections kept for each pod, and connections in all; REST beside WebSocket is a side road. */
const IDLE_MAX = 16;
const CONNECTIONS_MAX = 1024;

/** Makes the handler and a function that closes its connections. */
export function passThrough(
  options: PassThroughOptions,
  parts: PassThroughParts,
): { handle: HttpHandler; close(): void } {
  const limits = { keepAlive: true, maxFreeSockets: IDLE_MAX, maxTotalSockets: CONNECTIONS_MAX };
  const agent = options.tls ? new TlsAgent(limits) : new Agent(limits);
  const proxy = createProxyServer({
    agent,
    proxyTimeout: options.answerMaxMs,
    connectTimeout: options.connectMaxMs,
    secure: true,
    // The target goes out as it came, not as a URL parser would write it; http-proxy-3 has this for absolute ones.
    toProxy: true,
    ...(options.hostHeader === undefined ? {} : { headers: { host: options.hostHeader } }),
  });
  proxy.on('proxyRes', relayAnswer);
  const handle: HttpHandler = (request, response) => {
    if (!parts.homes.isPassedOn(request)) response.once('finish', () => parts.answered(response.statusCode));
    void route(proxy, options, parts, request, response).catch((error: unknown) => {
      parts.log.error({ error: String(error) }, 'a plain HTTP request could not be passed on');
      if (!response.headersSent) refuse(response, 500, 'the request could not be passed on');
    });
  };
  return { handle, close: () => agent.destroy() };
}

async function route(
  proxy: ProxyServer,
  options: PassThroughOptions,
  parts: PassThroughParts,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (!isPath(request.url)) return refuse(response, 400, 'the request target must be a path');
  if (isRepeated(request, 'host')) return refuse(response, 400, 'the header Host is given more than once');
  if (hasUncountedBody(request)) {
    return refuse(response, 411, `${request.method} with a body needs a Content-Length`);
  }
  const asked = upgradeRequest(request);
  const verdict = await parts.identifier.atUpgrade(asked);
  if (verdict.kind !== 'user') return deny(parts, response, verdict);
  if (parts.homes.forward(verdict.user, request, response)) return;
  const pod = parts.podFor(verdict);
  if (pod === undefined) return refuse(response, 503, 'no pod serves right now');
  replaceHeaders(request, parts.identifier.requestHeaders(asked, verdict.user));
  const target = `${options.tls ? 'https' : 'http'}://${pod.address}`;
  const sinceMs = performance.now();
  proxy.web(request, response, { target }, (error) => {
    const timedOut = error.message === 'ECONNECT_TIMEOUT' || performance.now() - sinceMs >= options.answerMaxMs;
    answerFailure(parts, response, pod, error, timedOut);
  });
}

/**
 * http-proxy-3 gives DELETE and OPTIONS without Content-Length a Content-Length of 0 and takes Transfer-Encoding away while
 * it still passes the body: the pod would read that body as the next request (CVE-2026-29057).
 */
function hasUncountedBody(request: IncomingMessage): boolean {
  const isMethod = request.method === 'DELETE' || request.method === 'OPTIONS';
  return isMethod && request.headers['transfer-encoding'] !== undefined;
}

function deny(
  parts: PassThroughParts,
  response: ServerResponse,
  verdict: { kind: string; status?: number; reason?: string },
): void {
  const status = verdict.status ?? 401;
  parts.denied(status === 401 ? 'unauthorized' : 'forbidden');
  refuse(
    response,
    status,
    verdict.reason ?? 'the user of a plain HTTP request must stand in the request, not in STOMP',
  );
}

/** What speaks of one connection only, and is said anew on the next (RFC 9110 section 7.6.1). */
const HOP_BY_HOP = [
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'upgrade', 'http2-settings', 'expect'],
];
/** What frames a request is Node's own affair and stays as it came. */
const FRAMING = ['host', 'content-length', 'transfer-encoding'] as const;

/**
 * The cleaned list in place of what came. Node has answered Expect already. Headers that the client lists in Connection are
 * passed on all the same, as it could list what the proxy has set.
 */
function replaceHeaders(request: IncomingMessage, cleaned: readonly string[]): void {
  const headers: Record<string, string | string[]> = {};
  for (const name of FRAMING) if (request.headers[name] !== undefined) headers[name] = request.headers[name];
  const done = new Set<string>([...FRAMING, ...HOP_BY_HOP]);
  for (let i = 0; i + 1 < cleaned.length; i += 2) {
    const name = (cleaned[i] ?? '').toLowerCase();
    if (done.has(name)) continue;
    const value = cleaned[i + 1] ?? '';
    const before = headers[name];
    headers[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  request.headers = headers;
}

/**
 * The pod's connection is not the client's, so its hop-by-hop headers end here. An answer that breaks off breaks off for the
 * client too: http-proxy-3 would leave it waiting.
 */
function relayAnswer(answer: IncomingMessage, _request: IncomingMessage, response: ServerResponse): void {
  const headers: OutgoingHttpHeaders = answer.headers;
  for (const name of HOP_BY_HOP) delete headers[name];
  headers['connection'] = response.shouldKeepAlive ? 'keep-alive' : 'close';
  answer.once('close', () => {
    if (!answer.complete) response.destroy();
  });
}

function answerFailure(
  parts: PassThroughParts,
  response: ServerResponse,
  pod: Pod,
  error: Error,
  timedOut: boolean,
): void {
  parts.log.warn({ pod: pod.name, error: error.message }, 'a plain HTTP request got no answer from its pod');
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (timedOut) refuse(response, 504, `pod ${pod.name} did not answer in time`);
  else refuse(response, 502, `pod ${pod.name} could not be reached`);
}
