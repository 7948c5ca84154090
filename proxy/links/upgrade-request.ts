/** The client's half of the WebSocket handshake (RFC 6455 §4.1), with headers of our own choice. */
import { type ClientRequest, request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { isIP, connect as netConnect } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as tlsConnect } from 'node:tls';
import { acceptOf, newKey } from '../../websocket/index.ts';
import type { LinkEnd } from '../session/index.ts';

export interface UpgradeOptions {
  /** HOST:PORT, with brackets around an IPv6 host. */
  readonly address: string;
  readonly tls: boolean;
  /** Host header and TLS server name; default the address. */
  readonly hostHeader: string | undefined;
  /** Said as it is: as a part of a URL it would be rewritten, dot segments resolved, characters encoded. */
  readonly path: string;
  readonly protocols: readonly string[];
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
  readonly timeoutMs: number;
}

export interface UpgradeHandlers {
  /** @param head what the server said behind its answer */
  onOpen(socket: Duplex, head: Buffer): void;
  onFailure(end: LinkEnd): void;
}

const GIVEN_UP = 'The attempt was given up';

/** Calls exactly one of the handlers, once, after it has returned. @returns ends the attempt: that is a failure, too */
export function requestUpgrade(options: UpgradeOptions, handlers: UpgradeHandlers): () => void {
  const key = newKey();
  const request = ask(options, key);
  let isSettled = false;
  let isGivenUp = false;
  const fail = (end: LinkEnd) => {
    if (isSettled) return;
    isSettled = true;
    clearTimeout(timer);
    request.destroy();
    handlers.onFailure(end);
  };
  const unreachable = (message: string) => fail({ kind: 'unreachable', message });
  const timer = setTimeout(() => unreachable('Opening handshake has timed out'), options.timeoutMs);
  request.on('error', (error) => unreachable(isGivenUp ? GIVEN_UP : error.message));
  request.once('close', () => unreachable(isGivenUp ? GIVEN_UP : 'The connection ended during the handshake'));
  request.once('response', (response) => {
    response.resume();
    fail({ kind: 'handshake', status: response.statusCode ?? 0 });
  });
  request.once('upgrade', (response: IncomingMessage, socket: Duplex, head: Buffer) => {
    const fault = faultOf(response, key, options.protocols);
    if (isSettled || isGivenUp || fault !== undefined) {
      socket.destroy();
      return unreachable(fault ?? GIVEN_UP);
    }
    isSettled = true;
    clearTimeout(timer);
    handlers.onOpen(socket, head);
  });
  return () => {
    isGivenUp = true;
    request.destroy();
  };
}

function ask({ address, tls, hostHeader, path, protocols, headers }: UpgradeOptions, key: string): ClientRequest {
  const [host, port] = split(address);
  const servername = hostHeader?.replace(/:\d+$/, '') ?? (isIP(host) === 0 ? host : '');
  const target = { host, port, path };
  const request = (tls ? httpsRequest : httpRequest)({
    ...target,
    // With a way of its own to connect a request needs no agent.
    createConnection: () => (tls ? tlsConnect({ host, port, servername }) : netConnect({ host, port, noDelay: true })),
    headers: {
      ...headers,
      ...(hostHeader === undefined ? {} : { host: hostHeader }),
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': key,
      ...(protocols.length === 0 ? {} : { 'sec-websocket-protocol': protocols.join(',') }),
    },
  });
  request.end();
  return request;
}

/** Why the answer is none, §4.1; a server may choose none of the sub-protocols. */
function faultOf({ headers }: IncomingMessage, key: string, protocols: readonly string[]): string | undefined {
  if (headers.upgrade?.toLowerCase() !== 'websocket') return 'Invalid Upgrade header';
  if (headers['sec-websocket-accept'] !== acceptOf(key)) return 'Invalid Sec-WebSocket-Accept header';
  if (headers['sec-websocket-extensions'] !== undefined) return 'Server sent an extension that was not asked for';
  const protocol = headers['sec-websocket-protocol'];
  if (protocol !== undefined && !protocols.includes(protocol)) return 'Server sent an invalid subprotocol';
  return undefined;
}

function split(address: string): [host: string, port: number] {
  const colon = address.lastIndexOf(':');
  return [address.slice(0, colon).replace(/^\[|\]$/g, ''), Number(address.slice(colon + 1))];
}
