import type { IncomingMessage, ServerResponse } from 'node:http';
import { HttpError } from './answer.ts';

/** One request on its way to an answer. */
export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  /** The values of `{name}` in the path, percent-decoded once. */
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

export interface Route {
  /** GET also answers HEAD, and must not change anything. */
  readonly method: 'GET' | 'POST';
  /** Segments in braces are parameters: `/v1/users/{user}/messages`. */
  readonly path: string;
  /** One line for the index. */
  readonly help: string;
  /** Answers, or throws HttpError. */
  handle(exchange: Exchange): void | Promise<void>;
}

/** A part of what the admin port offers. */
export interface Door {
  readonly routes: readonly Route[];
  /** Ends what stays open by itself: streams. */
  close(): void;
}

export interface Match {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
  readonly query: URLSearchParams;
}

/**
 * Finds the route of a request. The path is cut before it is decoded, so that a parameter may hold any character, `/` as
 * %2F. Throws HttpError 404, 405 or 400 (a parameter that is no percent-encoded UTF-8).
 */
export function findRoute(routes: readonly Route[], method: string, url: string): Match {
  const [path = '', query = ''] = url.split(/\?(.*)/s, 2);
  const segments = path.split('/');
  const there = routes.filter((route) => fits(route.path.split('/'), segments));
  const wanted = method === 'HEAD' ? 'GET' : method;
  const route = there.find((candidate) => candidate.method === wanted);
  if (route !== undefined) return { route, params: paramsOf(route, segments), query: new URLSearchParams(query) };
  if (there.length === 0)
    throw new HttpError(404, 'not-found', 'there is nothing at this path; GET / lists what there is');
  const allow = there
    .flatMap((candidate) => (candidate.method === 'GET' ? ['GET', 'HEAD'] : [candidate.method]))
    .join(', ');
  throw new HttpError(405, 'method-not-allowed', `this path takes ${allow}`, { allow });
}

const isParam = (segment: string) => segment.startsWith('{');

function fits(pattern: readonly string[], segments: readonly string[]): boolean {
  if (pattern.length !== segments.length) return false;
  return pattern.every((part, i) => (isParam(part) ? segments[i] !== '' : segments[i] === part));
}

function paramsOf(route: Route, segments: readonly string[]): Record<string, string> {
  const params: Record<string, string> = {};
  route.path.split('/').forEach((part, i) => {
    if (isParam(part)) params[part.slice(1, -1)] = decode(segments[i] ?? '');
  });
  return params;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new HttpError(400, 'bad-request', 'the path is not percent-encoded UTF-8');
  }
}
