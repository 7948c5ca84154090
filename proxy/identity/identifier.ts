/**
 * Who the user is. The sources are asked in their order and the first that is present decides: with a user, or with a
 * denial if what stands there is wrong. What the CONNECT frame would say is not known at the upgrade, so a source of
 * STOMP makes the verdict wait, even when one behind it could answer at once: else whoever leaves a token out of
 * CONNECT would choose the weaker source.
 */
import { randomUUID } from 'node:crypto';
import { type Config, isStompSource, networkMatcher, readsJwt, type Source } from '../config/index.ts';
import type { KeySetOptions } from './key-set.ts';
import {
  ABSENT,
  asName,
  type ConnectFrame,
  found,
  type Reading,
  readConnectToken,
  readPlace,
  readToken,
  wrong,
} from './reading.ts';
import type { UpgradeRequest } from './request.ts';
import { createTokenReader, type TokenReader } from './token.ts';
import {
  type ConnectHeaders,
  connectHeadersOf,
  type HeaderRules,
  identityNames,
  requestHeaders,
  upstreamHeaders,
} from './upstream-headers.ts';

export type IdentityConfig = Pick<Config, 'user' | 'anonymous' | 'ringKey' | 'trustedPeers' | 'identityHeader' | 'jwt'>;

export interface KnownUser {
  readonly kind: 'user';
  readonly user: string;
  /** What the ring hashes: the user, unless `ring-key` says otherwise. */
  readonly ringKey: string;
}

/**
 * 401: nobody is named, or the proof does not hold; with a login it may. 403: what is given is clear but not allowed (an
 * illegal name, two copies of it, no ring key). The reason holds nothing of the request and may be shown and logged.
 */
export interface Denied {
  readonly kind: 'denied';
  readonly status: 401 | 403;
  readonly reason: string;
}

/** `later`: only CONNECT can decide. */
export type Verdict = KnownUser | Denied | { readonly kind: 'later' };

export interface Identifier {
  atUpgrade(request: UpgradeRequest): Promise<Verdict>;
  /**
   * What a request says of its user, unchecked: two that say the same are of one user, also when a token has expired between
   * them. Holds secrets; not for logs.
   */
  credentials(request: UpgradeRequest): string;
  /** For a request whose verdict was `later`; an anonymous user is made anew by each call. */
  atConnect(request: UpgradeRequest, frame: ConnectFrame): Promise<KnownUser | Denied>;
  /** Whether `header:` sources and forwarded headers of this peer are believed. */
  trusts(remoteAddress: string): boolean;
  /** Name, value, … to send to a pod in place of the client's when its upgrade is replayed. */
  upstreamHeaders(request: UpgradeRequest, user: string): string[];
  /** The same for a plain HTTP request: hop-by-hop headers, Host, Origin and Content-Length are left to the HTTP proxy. */
  requestHeaders(request: UpgradeRequest, user: string): string[];
  connectHeaders(user: string): ConnectHeaders;
}

/** Throws an Error that names the key when jwt.secret-file cannot be used. */
export function createIdentifier(config: IdentityConfig, options: KeySetOptions = {}): Identifier {
  const sources = config.user ?? [];
  const firstOfStomp = sources.findIndex(isStompSource);
  const beforeStomp = firstOfStomp === -1 ? sources : sources.slice(0, firstOfStomp);
  const trusts = config.trustedPeers === undefined ? () => true : networkMatcher(config.trustedPeers);
  const token = sources.some(readsJwt) ? createTokenReader(config.jwt, options) : undefined;
  const reader = new SourceReader(config, trusts, token);
  const rules: HeaderRules = { config, trusts, identityNames: identityNames(config) };
  return {
    trusts,
    async atUpgrade(request) {
      const verdict = await firstPresent(reader, beforeStomp, request);
      return verdict ?? (firstOfStomp === -1 ? nobody(reader, request) : { kind: 'later' });
    },
    credentials: (request) => JSON.stringify(sources.map((source) => reader.unchecked(source, request))),
    async atConnect(request, frame) {
      return (await firstPresent(reader, sources, request, frame)) ?? nobody(reader, request);
    },
    upstreamHeaders: (request, user) => upstreamHeaders(rules, request, user),
    requestHeaders: (request, user) => requestHeaders(rules, request, user),
    connectHeaders: connectHeadersOf(config.identityHeader),
  };
}

/** The verdict of the first source that is present, good or bad; undefined when none is. */
async function firstPresent(
  reader: SourceReader,
  sources: readonly Source[],
  request: UpgradeRequest,
  frame?: ConnectFrame,
): Promise<KnownUser | Denied | undefined> {
  for (const source of sources) {
    const reading = asName(await reader.read(source, request, frame), 'the user name');
    if (reading.kind === 'wrong') return { kind: 'denied', status: reading.status, reason: reading.reason };
    if (reading.kind === 'value') return withRingKey(reader, request, reading.value);
  }
  return undefined;
}

function nobody(reader: SourceReader, request: UpgradeRequest): KnownUser | Denied {
  if (reader.config.anonymous) return withRingKey(reader, request, `anonymous-${randomUUID()}`);
  return { kind: 'denied', status: 401, reason: 'nothing in the request says who the user is' };
}

/**
 * A missing ring key is a denial and not replaced by the user: a room whose members are spread over pods by a typo in a
 * URL is worse than a clear error at the first try.
 */
function withRingKey(reader: SourceReader, request: UpgradeRequest, user: string): KnownUser | Denied {
  const reading = reader.ringKey(request, user);
  if (reading.kind === 'value') return { kind: 'user', user, ringKey: reading.value };
  const reason = reading.kind === 'wrong' ? reading.reason : 'the ring key is missing in the request';
  return { kind: 'denied', status: 403, reason };
}

class SourceReader {
  readonly config: IdentityConfig;
  private readonly trusts: (address: string) => boolean;
  private readonly token: TokenReader | undefined;

  constructor(config: IdentityConfig, trusts: (address: string) => boolean, token: TokenReader | undefined) {
    this.config = config;
    this.trusts = trusts;
    this.token = token;
  }

  async read(source: Source, request: UpgradeRequest, frame: ConnectFrame | undefined): Promise<Reading> {
    switch (source.kind) {
      case 'jwt':
        return this.checked(request, this.unchecked(source, request));
      case 'stomp-login':
        return found(frame?.header('login'));
      case 'stomp-authorization':
        return frame === undefined ? ABSENT : this.checked(request, readConnectToken(frame));
      default:
        return this.unchecked(source, request);
    }
  }

  /** As `read`, but a token is given as it was sent. */
  unchecked(source: Source, request: UpgradeRequest): Reading {
    switch (source.kind) {
      case 'header':
        return this.trusts(request.remoteAddress) ? readPlace(request, source) : ABSENT;
      case 'cookie':
      case 'query':
        return readPlace(request, source);
      case 'jwt':
        return this.believesTokens(request) ? readToken(request, source, this.config.jwt.header) : ABSENT;
      default:
        return ABSENT;
    }
  }

  ringKey(request: UpgradeRequest, user: string): Reading {
    const source = this.config.ringKey;
    if (source === undefined) return found(user);
    if (source.kind === 'header' && !this.trusts(request.remoteAddress)) return ABSENT;
    return asName(readPlace(request, source), 'the ring key');
  }

  /** A token that nobody has checked says no more than a header does, so it counts from trusted peers only. */
  private believesTokens(request: UpgradeRequest): boolean {
    return !this.config.jwt.decodeOnly || this.trusts(request.remoteAddress);
  }

  private async checked(request: UpgradeRequest, reading: Reading): Promise<Reading> {
    if (reading.kind !== 'value') return reading;
    if (!this.believesTokens(request)) return ABSENT;
    return this.token === undefined ? wrong(401, 'tokens are not accepted') : this.token(reading.value);
  }
}
