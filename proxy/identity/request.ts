/** What of a request says who a client is, and how to read it. */
import type { IncomingMessage } from 'node:http';

export interface UpgradeRequest {
  /**
   * Name, value, name, value … as node's rawHeaders. Not `headers`: that joins or drops repeated ones, so that two
   * names, one from the client and one from the ingress, would look like one.
   */
  readonly rawHeaders: readonly string[];
  /** The request target: path and query. */
  readonly url: string;
  /** Of the connection, not of a forwarded header; empty when the connection is gone already. */
  readonly remoteAddress: string;
  /** Whether the connection itself is TLS. */
  readonly encrypted: boolean;
}

/** Requests that another process of this proxy has passed on, with the address that they came from. */
const origins = new WeakMap<IncomingMessage, string>();

/** The request was passed on to us by a process of our own, which had it from this address. */
export function cameFrom(message: IncomingMessage, remoteAddress: string): void {
  origins.set(message, remoteAddress);
}

/** The part of a request that identity needs, copied, so that it outlives the request. */
export function upgradeRequest(message: IncomingMessage): UpgradeRequest {
  return {
    rawHeaders: [...message.rawHeaders],
    url: message.url ?? '/',
    remoteAddress: origins.get(message) ?? message.socket.remoteAddress ?? '',
    encrypted: 'encrypted' in message.socket && message.socket.encrypted === true,
  };
}

/** The value of each copy of a header; upper and lower case are the same. */
export function headerValues({ rawHeaders }: Pick<UpgradeRequest, 'rawHeaders'>, name: string): string[] {
  const wanted = name.toLowerCase();
  const values: string[] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    const given = rawHeaders[i] ?? '';
    if (given.length === wanted.length && given.toLowerCase() === wanted) values.push(rawHeaders[i + 1] ?? '');
  }
  return values;
}

/** One cookie, unquoted but not decoded; of several the first, which browsers take from the most specific path. */
export function cookieValue(request: Pick<UpgradeRequest, 'rawHeaders'>, name: string): string | undefined {
  for (const pair of headerValues(request, 'cookie').join(';').split(';')) {
    const at = pair.indexOf('=');
    if (at > 0 && pair.slice(0, at).trim() === name)
      return pair
        .slice(at + 1)
        .trim()
        .replace(/^"(.*)"$/, '$1');
  }
  return undefined;
}

/** The value of each copy of a query parameter, decoded. */
export function queryValues(request: Pick<UpgradeRequest, 'url'>, name: string): string[] {
  const [, query = ''] = /\?([^#]*)/.exec(request.url) ?? [];
  return new URLSearchParams(query).getAll(name);
}
