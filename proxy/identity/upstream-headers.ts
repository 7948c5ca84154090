/**
 * What a pod gets to see of a client's headers. The pod believes the identity header, so every copy a client could send
 * is removed before it is set: in any case, and with '_' for '-', which CGI-like servers read as the same name. Cookies
 * and Authorization stay: they are between the application's pages and its pods.
 */
import { isIPv6 } from 'node:net';
import { type Config, plainAddress } from '../config/index.ts';
import { headerValues, type UpgradeRequest } from './request.ts';
import { toHeaderValue } from './user-name.ts';

export interface HeaderRules {
  readonly config: Pick<Config, 'ringKey'>;
  readonly trusts: (remoteAddress: string) => boolean;
  /** Headers that name the user to a pod, by their plain names. */
  readonly identityNames: ReadonlyMap<string, string>;
}

/** For the CONNECT frame to a pod. `drop` goes for every frame of a client: only the proxy writes such headers. */
export interface ConnectHeaders {
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly drop: (name: string) => boolean;
}

/**
 * What goes with each hop: RFC 9110 section 7.6.1, with the ones that were common before it. The last three whoever dials the pod makes anew;
 * Origin was checked here, and would be a foreign one there.
 */
const OF_HOP = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
  ...['host', 'origin', 'content-length'],
]);

/** Names that only differ in case or in '_' for '-' are one for some server. */
function folded(name: string): string {
  const lower = name.toLowerCase();
  return lower.includes('_') ? lower.replaceAll('_', '-') : lower;
}

const isForwarded = (name: string) => name === 'forwarded' || name.startsWith('x-forwarded-');

/** The headers to replay an upgrade request with; the dialler adds Host and those of the WebSocket. */
export function upstreamHeaders(rules: HeaderRules, request: UpgradeRequest, user: string): string[] {
  const listed = headerValues(request, 'connection').flatMap((value) => value.split(','));
  const named = new Set(listed.map((name) => folded(name.trim())));
  const isOfHop = (name: string) => OF_HOP.has(name) || named.has(name) || name.startsWith('sec-websocket-');
  return headersWithout(isOfHop, rules, request, user);
}

/** A plain request's headers with the identity of this user and no other. */
export function requestHeaders(rules: HeaderRules, request: UpgradeRequest, user: string): string[] {
  return headersWithout(() => false, rules, request, user);
}

/** @param isDropped what of the client's own goes besides; it cannot take away what the proxy sets */
function headersWithout(
  isDropped: (name: string) => boolean,
  rules: HeaderRules,
  request: UpgradeRequest,
  user: string,
): string[] {
  const trusted = rules.trusts(request.remoteAddress);
  const headers: string[] = [];
  const { rawHeaders } = request;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] as string;
    const plain = folded(name);
    if (isOurs(plain, rules, trusted) || isDropped(plain)) continue;
    headers.push(name, rawHeaders[i + 1] as string);
  }
  for (const name of rules.identityNames.values()) headers.push(name, toHeaderValue(user));
  addForwarded(headers, request, trusted);
  return headers.slice(); // of just its length: it stays as long as the session
}

/** Headers that are only believed when the proxy itself has said them. */
function isOurs(name: string, { config, identityNames }: HeaderRules, trusted: boolean): boolean {
  if (identityNames.has(name) || name.startsWith('holdfast-')) return true;
  if (isForwarded(name)) return !trusted || isOfEachHop(name);
  return !trusted && config.ringKey?.kind === 'header' && name === folded(config.ringKey.name);
}

/** By their plain names the identity header, and every header that a user may be read from: pods that read those go on doing so. */
export function identityNames({
  user,
  identityHeader,
}: Pick<Config, 'user' | 'identityHeader'>): HeaderRules['identityNames'] {
  const sources = (user ?? []).filter((source) => source.kind === 'header').map((source) => source.name);
  return new Map([identityHeader, ...sources].map((name) => [folded(name), name]));
}

/** From trusted peers their list with this peer added; from others a list that begins here. */
function addForwarded(headers: string[], request: UpgradeRequest, trusted: boolean): void {
  const given = (name: string) => (trusted ? headerValues(request, name).join(', ') : '');
  const add = (name: string, value: string) => value !== '' && headers.push(name, value);
  const peer = plainAddress(request.remoteAddress);
  const before = given('x-forwarded-for');
  add('x-forwarded-for', before === '' || peer === '' ? before + peer : `${before}, ${peer}`);
  add('x-forwarded-proto', given('x-forwarded-proto') || (request.encrypted ? 'https' : 'http'));
  add('x-forwarded-host', given('x-forwarded-host') || (headerValues(request, 'host')[0] ?? ''));
  // RFC 7239: only carried on, as few read it; a list without this hop would be a false one.
  const standard = given('forwarded');
  add('forwarded', standard && `${standard}, for=${isIPv6(peer) ? `"[${peer}]"` : peer || 'unknown'}`);
}

/** Said anew at this hop; x-forwarded-port, x-forwarded-prefix and the like say nothing that changes here. */
function isOfEachHop(name: string): boolean {
  return name === 'forwarded' || /^x-forwarded-(for|proto|host)$/.test(name);
}

/** `holdfast-*`, `user` and `simp*` (what Spring keeps about a message in its own headers) are never the client's. */
export function connectHeadersOf(identityHeader: string): (user: string) => ConnectHeaders {
  const identity = folded(identityHeader);
  const drop = (name: string) => {
    const plain = folded(name);
    return plain === identity || plain === 'user' || plain.startsWith('holdfast-') || plain.startsWith('simp');
  };
  return (user) => ({ set: [[identityHeader, user]], drop });
}
