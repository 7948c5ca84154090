/** Which request targets are SockJS, and what they ask for (sockjs-protocol 0.3.3, "Session URLs"). */

export type Endpoint =
  | { readonly kind: 'info'; readonly prefix: string }
  | { readonly kind: SessionKind; readonly prefix: string; readonly session: string };

/** `unknown`: a transport that is not offered. */
export type SessionKind = 'websocket' | 'xhr' | 'xhr_streaming' | 'eventsource' | 'xhr_send' | 'unknown';

/**
 * The server id is for load balancers and is not looked at; neither id holds a dot. JSONP and htmlfile are taken only to be
 * refused: behind us a pod might serve them, and the session would be out of our hands.
 */
const SESSION =
  /^\/[^/.]+\/([^/.]{1,128})\/(websocket|xhr|xhr_streaming|eventsource|xhr_send|jsonp|jsonp_send|htmlfile)\/?$/;
const REFUSED = new Set(['jsonp', 'jsonp_send', 'htmlfile']);

/**
 * @param prefixes the endpoints, without a slash at the end
 * @returns undefined for a target that is none of SockJS: raw WebSockets at PREFIX/websocket and whatever else a pod serves
 */
export function endpointOf(prefixes: readonly string[], target: string): Endpoint | undefined {
  const path = target.replace(/\?.*$/s, '');
  for (const prefix of prefixes) {
    if (!path.startsWith(`${prefix}/`)) continue;
    const rest = path.slice(prefix.length);
    if (/^\/info\/?$/.test(rest)) return { kind: 'info', prefix };
    const [, session, asked] = SESSION.exec(rest) ?? [];
    if (session === undefined || asked === undefined) continue;
    return { kind: REFUSED.has(asked) ? 'unknown' : (asked as SessionKind), prefix, session };
  }
  return undefined;
}

/** Where pods are asked for the clients of an endpoint, with the query of the client, which may hold its token. */
export function upstreamPath(prefix: string, target: string, path = `${prefix}/websocket`): string {
  const [query = ''] = /\?.*$/s.exec(target) ?? [];
  return `${path}${query}`;
}
