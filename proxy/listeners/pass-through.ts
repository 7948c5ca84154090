/**
 * Plain HTTP beside WebSocket: a request goes to the pod that owns its user, so REST and STOMP of one user meet in one
 * process. Identity headers of clients are replaced as at an upgrade.
 */
import { Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { createProxyServer, type ProxyServer } from 'http-proxy-3';
import type { Pod } from '../discovery/index.ts';
import { type Identifier, type KnownUser, upgradeRequest } from '../identity/index.ts';
import type { Log } from '../log.ts';
import type { HttpHandler } from './listener.ts';
import { refuse } from './refusal.ts';

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
    ...(options.hostHeader === undefined ? {} : { headers: { host: options.hostHeader } }),
  });
  const handle: HttpHandler = (request, response) => {
    response.once('finish', () => parts.answered(response.statusCode));
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
  if (hasUncountedBody(request)) {
    return refuse(response, 411, `${request.method} with a body needs a Content-Length`);
  }
  const asked = upgradeRequest(request);
  const verdict = await parts.identifier.atUpgrade(asked);
  if (verdict.kind !== 'user') return deny(parts, response, verdict);
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

/** What frames the body is Node's own affair and stays as it came; the rest is the cleaned list. */
function replaceHeaders(request: IncomingMessage, cleaned: readonly string[]): void {
  const framing = ['host', 'content-length', 'transfer-encoding', 'expect'] as const;
  const headers: Record<string, string | string[]> = {};
  for (const name of framing) if (request.headers[name] !== undefined) headers[name] = request.headers[name];
  for (let i = 0; i + 1 < cleaned.length; i += 2) {
    const name = (cleaned[i] ?? '').toLowerCase();
    const value = cleaned[i + 1] ?? '';
    const before = headers[name];
    headers[name] = before === undefined ? value : [...(Array.isArray(before) ? before : [before]), value];
  }
  request.headers = headers;
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
