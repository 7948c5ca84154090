/**
 * Sources: the places in a request or a CONNECT frame where a user may be named. `header:Username` says that the
 * header Username holds the name; `jwt` that a claim of a token does. Which ones are configured, and in what order, is
 * the key `user`.
 */
import { NotAllowed, text } from './values.ts';

export type Source =
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'cookie'; readonly name: string }
  | { readonly kind: 'query'; readonly name: string }
  | { readonly kind: 'jwt'; readonly in: 'header' }
  | { readonly kind: 'jwt'; readonly in: 'cookie' | 'query'; readonly name: string }
  | { readonly kind: 'stomp-login' }
  | { readonly kind: 'stomp-authorization' };

/** Where a ring key may stand; it proves nothing about who somebody is, so only plain places. */
export type KeySource = Extract<Source, { kind: 'header' | 'cookie' | 'query' }>;

export const SOURCE_FORMS =
  'header:NAME, cookie:NAME, query:NAME, jwt, jwt:cookie:NAME, jwt:query:NAME, stomp-login, stomp-authorization';

// RFC 9110 section 5.6.2 (token); cookie names are tokens too (RFC 6265 section 4.1.1).
const TOKEN = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/;

/**
 * Headers with a meaning of their own: holding a user name there, and writing it there for pods, would break them. Of X-Forwarded-* three are
 * names: what oauth2-proxy and its like say of who has logged in.
 */
const RESERVED_HEADER =
  /^(authorization|connection|cookie|expect|forwarded|host|keep-alive|origin|proxy-.*|sec-.*|te|trailer|transfer-encoding|upgrade|via|content-.*|x-forwarded-(?!(user|email|preferred-username)$).*)$/i;

/** A header that may carry a user's name; throws NotAllowed. */
export function userHeaderName(name: string): string {
  if (!TOKEN.test(name)) throw new NotAllowed('must be the name of an HTTP header');
  if (RESERVED_HEADER.test(name)) throw new NotAllowed(`cannot be ${name}, which HTTP or the proxy needs itself`);
  return name;
}

function named(name: string, what: string): string {
  if (what === 'header') return userHeaderName(name);
  const fits = what === 'cookie' ? TOKEN.test(name) : /^[^&=#\s]{1,128}$/.test(name);
  if (!fits) throw new NotAllowed(`must give the name of a ${what === 'cookie' ? 'cookie' : 'query parameter'}`);
  return name;
}

function plainSource(kind: string, name: string): KeySource | undefined {
  return kind === 'header' || kind === 'cookie' || kind === 'query' ? { kind, name: named(name, kind) } : undefined;
}

function jwtSource(place: string): Source | undefined {
  const [, where, name] = /^(cookie|query):(.*)$/.exec(place) ?? [];
  if (name === undefined || (where !== 'cookie' && where !== 'query')) return undefined;
  return { kind: 'jwt', in: where, name: named(name, where) };
}

/** Reads one source; throws NotAllowed with what would be right. */
export function parseSource(input: string): Source {
  if (input === 'jwt') return { kind: 'jwt', in: 'header' };
  if (input === 'stomp-login' || input === 'stomp-authorization') return { kind: input };
  const [, kind = '', name = ''] = /^([a-z-]+):(.*)$/.exec(input) ?? [];
  const source = kind === 'jwt' ? jwtSource(name) : plainSource(kind, name);
  if (source === undefined) throw new NotAllowed(`must be one of ${SOURCE_FORMS}`);
  return source;
}

export function parseKeySource(input: string): KeySource {
  const [, kind = '', name = ''] = /^([a-z]+):(.*)$/.exec(input) ?? [];
  const source = plainSource(kind, name);
  if (source === undefined) throw new NotAllowed('must be header:NAME, cookie:NAME or query:NAME');
  return source;
}

export function formatSource(source: Source): string {
  if (source.kind === 'jwt') return source.in === 'header' ? 'jwt' : `jwt:${source.in}:${source.name}`;
  return 'name' in source ? `${source.kind}:${source.name}` : source.kind;
}

/** Whether the source is read from the CONNECT frame, so that the upgrade request cannot yet decide. */
export function isStompSource(source: Source): boolean {
  return source.kind === 'stomp-login' || source.kind === 'stomp-authorization';
}

export function readsJwt(source: Source): boolean {
  return source.kind === 'jwt' || source.kind === 'stomp-authorization';
}

export const userSource = () => text('SOURCE', `one of ${SOURCE_FORMS}`, parseSource);
export const keySource = () => text('SOURCE', 'header:NAME, cookie:NAME or query:NAME', parseKeySource);
