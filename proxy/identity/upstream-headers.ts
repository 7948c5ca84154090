/**
 * What a pod gets to see of a client's headers. The pod believes the identity header, so every copy a client could send
 * is removed before it is set: in any case, and with '_' for '-', which CGI-like servers read as the same name. Cookies
 * and Authorization stay: they are between the application's pages and its pods.
 */
import { isIPv6 } from 'node:net';
import { type Config, plainAddress } from '../config/index.ts';
import { headerPairs, headerValues, type UpgradeRequest } from './request.ts';
import { toHeaderValue } from './user-name.ts';

export interface HeaderRules {
  readonly config: Pick<Config, 'user' | 'ringKey' | 'identityHeader'>;
  readonly trusts: (remoteAddress: string) => boolean;
}

/** For the CONNECT frame to a pod. `drop` goes for every frame of a client: only the proxy writes such headers. */
export interface ConnectHeaders {
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly drop: (name: string) => boolean;
}

/** RFC 9110 section 7.6.1, with the ones that were common before it. */
const HOP_BY_HOP = new Set([
  ...['connection', 'keep-alive', 'proxy-authenticate', 'proxy-authorization', 'proxy-connection'],
  ...['te', 'trailer', 'transfer-encoding', 'upgrade'],
]);

/** Made anew by whoever dials the pod; Origin was checked here, and would be a foreign one there. */
const OF_THIS_HOP = new Set(['host', 'origin', 'content-length']);

/** Names that only differ in case or in '_' for '-' are one for some server. */
function folded(name: string): string {
  const lower = name.toLowerCase();
  return lower.includes('_') ? lower.replaceAll('_', '-') : lower;
}

const isForwarded = (name: string) => name === 'forwarded' || name.startsWith('x-forwarded-');

/** The headers to replay an upgrade request with; the dialler adds Host and those of the WebSocket. */
export function upstreamHeaders(rules: HeaderRules, request: UpgradeRequest, user: string): string[] {
  const listed = headerValues(request, 'connection').flatMap((value) => value.split(','));
  const hop = new Set([...HOP_BY_HOP, ...OF_THIS_HOP, ...listed.map((name) => folded(name.trim()))]);
  const kept = headerPairs(requestHeaders(rules, request, user));
  const set = new Set(setByProxy(rules, user).map(([name]) => folded(name)));
  return kept.filter(([name]) => passes(folded(name), hop, set)).flat();
}

/** What the client lists in Connection goes, but it cannot take away what the proxy has set. */
function passes(name: string, hop: ReadonlySet<string>, set: ReadonlySet<string>): boolean {
  if (set.has(name) || isForwarded(name)) return true;
  return !hop.has(name) && !name.startsWith('sec-websocket-');
}

/** A plain request's headers with the identity of this user and no other. */
export function requestHeaders(rules: HeaderRules, request: UpgradeRequest, user: string): string[] {
  const trusted = rules.trusts(request.remoteAddress);
  const set = setByProxy(rules, user);
  const dropped = new Set(set.map(([name]) => folded(name)));
  if (!trusted && rules.config.ringKey?.kind === 'header') dropped.add(folded(rules.config.ringKey.name));
  const kept = headerPairs(request.rawHeaders).filter(([name]) => {
    const plain = folded(name);
    return !dropped.has(plain) && !plain.startsWith('holdfast-') && !isForwarded(plain);
  });
  return [...kept, ...set, ...forwarded(request, trusted)].flat();
}

/** The identity header, and every header that a user may be read from: pods that read those go on doing so. */
function setByProxy({ config }: HeaderRules, user: string): [name: string, value: string][] {
  const sources = (config.user ?? []).filter((source) => source.kind === 'header').map((source) => source.name);
  const names = new Map([config.identityHeader, ...sources].map((name) => [folded(name), name]));
  return [...names.values()].map((name) => [name, toHeaderValue(user)]);
}

/** From trusted peers their list with this peer added; from others a list that begins here. */
function forwarded(request: UpgradeRequest, trusted: boolean): [name: string, value: string][] {
  const given = (name: string) => (trusted ? headerValues(request, name).join(', ') : '');
  const peer = plainAddress(request.remoteAddress);
  const host = given('x-forwarded-host') || (headerValues(request, 'host')[0] ?? '');
  const rest = headerPairs(request.rawHeaders).filter(([name]) => trusted && isUntouched(folded(name)));
  const standard = given('forwarded');
  const own: [string, string][] = [
    ['x-forwarded-for', [given('x-forwarded-for'), peer].filter((item) => item !== '').join(', ')],
    ['x-forwarded-proto', given('x-forwarded-proto') || (request.encrypted ? 'https' : 'http')],
    ['x-forwarded-host', host],
    // RFC 7239: only carried on, as few read it; a list without this hop would be a false one.
    ['forwarded', standard === '' ? '' : `${standard}, for=${isIPv6(peer) ? `"[${peer}]"` : peer || 'unknown'}`],
  ];
  return [...rest, ...own.filter(([, value]) => value !== '')];
}

/** x-forwarded-port, x-forwarded-prefix and the like say nothing that changes at this hop. */
function isUntouched(name: string): boolean {
  return name.startsWith('x-forwarded-') && !/^x-forwarded-(for|proto|host)$/.test(name);
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
