/** Answers to SockJS requests: their headers, and the short ones whole. */
import { randomInt } from 'node:crypto';
import type { IncomingMessage, OutgoingHttpHeaders, ServerResponse } from 'node:http';
import { type Problem, refuse } from '../refusal.ts';

/** A year, in seconds: the answer to a preflight depends on nothing that changes. Browsers cut it to hours. */
const PREFLIGHT_MAX_AGE_S = 31_536_000;
const ENTROPY_BELOW = 2 ** 32;

/** The page's origin has been checked: it may read the answer, and its cookies come with the request. */
export function commonHeaders(request: IncomingMessage): OutgoingHttpHeaders {
  const { origin } = request.headers;
  return {
    'cache-control': 'no-store, no-cache, no-transform, must-revalidate, max-age=0',
    vary: 'Origin',
    ...(origin === undefined
      ? {}
      : { 'access-control-allow-origin': origin, 'access-control-allow-credentials': 'true' }),
  };
}

/** `/info`: answered at once, as its round trip is what clients measure their time-outs by. */
export function answerInfo(request: IncomingMessage, response: ServerResponse): void {
  const info = { websocket: true, origins: ['*:*'], cookie_needed: true, entropy: randomInt(ENTROPY_BELOW) };
  answer(request, response, 200, JSON.stringify(info), 'application/json; charset=UTF-8');
}

export function answerPreflight(request: IncomingMessage, response: ServerResponse, methods: string): void {
  const asked = request.headers['access-control-request-headers'];
  response.writeHead(204, {
    ...commonHeaders(request),
    'cache-control': `public, max-age=${PREFLIGHT_MAX_AGE_S}`,
    expires: new Date(Date.now() + PREFLIGHT_MAX_AGE_S * 1000).toUTCString(),
    'access-control-allow-methods': methods,
    'access-control-max-age': String(PREFLIGHT_MAX_AGE_S),
    ...(asked === undefined || asked === '' ? {} : { 'access-control-allow-headers': asked }),
  });
  response.end();
}

export function answerMethodNotAllowed(response: ServerResponse, methods: string): void {
  response.writeHead(405, { allow: methods, 'content-length': 0 });
  response.end();
}

/** @param text plain text; SockJS clients look at the status alone */
export function answer(
  request: IncomingMessage,
  response: ServerResponse,
  status: number,
  text: string,
  contentType = 'text/plain; charset=UTF-8',
): void {
  response.writeHead(status, {
    ...commonHeaders(request),
    'content-type': contentType,
    ...(status === 204 ? {} : { 'content-length': Buffer.byteLength(text) }),
  });
  response.end(text);
}

export function answerProblem(response: ServerResponse, { status, reason }: Problem): void {
  if (!response.headersSent && !response.destroyed) refuse(response, status, reason);
}
