/** Reads one source. Present and wrong is not the same as absent: a bad token must not fall through to a weaker source. */
import type { Frame } from '../../stomp/index.ts';
import type { Source } from '../config/index.ts';
import { cookieValue, headerValues, queryValues, type UpgradeRequest } from './request.ts';
import { fromHeaderValue, userNameProblem } from './user-name.ts';

export type Reading =
  | { readonly kind: 'absent' }
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'wrong'; readonly status: 401 | 403; readonly reason: string };

export const ABSENT: Reading = { kind: 'absent' };

export function found(value: string | undefined): Reading {
  return value === undefined ? ABSENT : { kind: 'value', value };
}

/** 401: the proof of who somebody is does not hold. 403: what is said is clear, but not allowed. */
export function wrong(status: 401 | 403, reason: string): Reading {
  return { kind: 'wrong', status, reason };
}

/** One of several copies would be a guess: the client's, or the one of the ingress? */
function single(values: readonly string[], what: string): Reading {
  return values.length > 1 ? wrong(403, `${what} is given ${values.length} times`) : found(values[0]);
}

function headerText(request: UpgradeRequest, name: string): Reading {
  const reading = single(headerValues(request, name), `the header ${name}`);
  if (reading.kind !== 'value') return reading;
  const text = fromHeaderValue(reading.value);
  return text === undefined ? wrong(403, `the header ${name} is no UTF-8`) : found(text);
}

function cookieText(request: UpgradeRequest, name: string): Reading {
  const value = cookieValue(request, name);
  if (value === undefined) return ABSENT;
  const text = decoded(fromHeaderValue(value));
  return text === undefined ? wrong(403, `the cookie ${name} is no percent-encoded UTF-8`) : found(text);
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text === undefined ? undefined : decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

/** The text of a place in the upgrade request, decoded. */
export function readPlace(
  request: UpgradeRequest,
  place: { kind: 'header' | 'cookie' | 'query'; name: string },
): Reading {
  if (place.kind === 'header') return headerText(request, place.name);
  if (place.kind === 'cookie') return cookieText(request, place.name);
  return single(queryValues(request, place.name), `the query parameter ${place.name}`);
}

/** A reading whose value must be good as the name of a user, or as a ring key. */
export function asName(reading: Reading, what: string): Reading {
  const problem = reading.kind === 'value' ? userNameProblem(reading.value) : undefined;
  return problem === undefined ? reading : wrong(403, `${what} ${problem}`);
}

const BEARER = /^bearer(?: +|$)/i;

/** The token after "Bearer"; a header of another scheme (Basic) is not for us, unless the header is ours alone. */
function bearer(reading: Reading, header: string): Reading {
  if (reading.kind !== 'value') return reading;
  if (BEARER.test(reading.value)) return found(reading.value.replace(BEARER, '').trim());
  return header.toLowerCase() === 'authorization' ? ABSENT : reading;
}

/** The token of the source `jwt`, as it was sent. */
export function readToken(request: UpgradeRequest, source: Extract<Source, { kind: 'jwt' }>, header: string): Reading {
  if (source.in === 'header') return bearer(single(headerValues(request, header), `the header ${header}`), header);
  return readPlace(request, { kind: source.in, name: source.name });
}

/** The part of a CONNECT frame that identity reads. */
export type ConnectFrame = Pick<Frame, 'header' | 'headers'>;

/** The token in CONNECT; header names of STOMP are case-sensitive, but applications write this one either way. */
export function readConnectToken(frame: ConnectFrame): Reading {
  const values = new Map<string, string>();
  for (const [name, value] of frame.headers())
    if (name.toLowerCase() === 'authorization' && !values.has(name)) values.set(name, value);
  return bearer(single([...new Set(values.values())], 'the header Authorization'), 'authorization');
}
