/** The client's half of the WebSocket handshake (RFC 6455 §4.1), with headers of our own choice. */
import { type Answer, AnswerReader, acceptOf, newKey } from '../../websocket/index.ts';
import type { LinkEnd } from '../session/index.ts';
import { Connection, type ConnectionOptions } from './connection.ts';

/** `hostHeader` is also the Host header; default the address. */
export interface UpgradeOptions extends ConnectionOptions {
  /** Said as it is: as a part of a URL it would be rewritten, dot segments resolved, characters encoded. */
  readonly path: string;
  readonly protocols: readonly string[];
  /** Name, value, name, value …, none of those that the handshake makes. */
  readonly headers: readonly string[];
  readonly timeoutMs: number;
}

export interface UpgradeHandlers {
  /** @param rest what the server said behind its answer */
  onOpen(connection: Connection, rest: Uint8Array): void;
  onFailure(end: LinkEnd): void;
}

const GIVEN_UP = 'The attempt was given up';
const SWITCHING_PROTOCOLS = 101;
const NOTHING = new Uint8Array();
const ignore = () => {};

/**
 * Calls exactly one of the handlers, once, after it has returned. @returns ends the attempt: that is a failure, too
 * @throws TypeError for a path or header that HTTP cannot say
 */
export function requestUpgrade(options: UpgradeOptions, handlers: UpgradeHandlers): () => void {
  const key = newKey();
  const head = requestHead(options, key);
  const connection = new Connection(options, (lent, length) => onRead(lent.subarray(0, length)));
  const { socket } = connection;
  const reader = new AnswerReader();
  let isGivenUp = false;
  /** Once: nothing of the attempt is heard any more, and the socket does not hold on to it. */
  const settle = () => {
    clearTimeout(timer);
    socket.off('error', onError).off('close', onClose);
    connection.listen(ignore, NOTHING);
  };
  const fail = (end: LinkEnd) => {
    settle();
    socket.on('error', ignore); // it may still break while it is cut
    socket.destroy();
    handlers.onFailure(end);
  };
  const unreachable = (message: string) => fail({ kind: 'unreachable', message: isGivenUp ? GIVEN_UP : message });
  const onError = (error: Error) => unreachable(error.message);
  const onClose = () => unreachable('The connection ended during the handshake');
  const onRead = (lent: Uint8Array) => {
    const answer = reader.push(lent);
    if (answer === undefined) return;
    if (typeof answer === 'string') return unreachable(answer);
    if (answer.status !== SWITCHING_PROTOCOLS) return fail({ kind: 'handshake', status: answer.status });
    const fault = faultOf(answer, key, options.protocols);
    if (fault !== undefined) return unreachable(fault);
    settle();
    handlers.onOpen(connection, Buffer.from(answer.rest));
  };
  const timer = setTimeout(() => unreachable('Opening handshake has timed out'), options.timeoutMs);
  socket.on('error', onError).on('close', onClose);
  socket.write(head, 'latin1');
  return () => {
    isGivenUp = true;
    socket.destroy();
  };
}

function requestHead({ address, tls, hostHeader, path, protocols, headers }: UpgradeOptions, key: string): string {
  if (!/^[!-\u00ff]+$/.test(path)) throw new TypeError('the path of a link holds what HTTP cannot say');
  let head = `GET ${path} HTTP/1.1\r\n${field('Host', hostHeader ?? withoutDefaultPort(address, tls))}`;
  head += `Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${key}\r\n`;
  if (protocols.length > 0) head += field('Sec-WebSocket-Protocol', protocols.join(','));
  for (let i = 0; i + 1 < headers.length; i += 2) head += field(headers[i] as string, headers[i + 1] as string);
  return `${head}\r\n`;
}

/** Or a character too many would begin a line of its own. */
function field(name: string, value: string): string {
  const line = `${name}: ${value}`;
  if (!/^[\t -~\u0080-\u00ff]*$/.test(line))
    throw new TypeError(`the header ${line.split(':', 1)} of a link holds what HTTP cannot say`);
  return `${line}\r\n`;
}

function withoutDefaultPort(address: string, tls: boolean): string {
  return address.replace(tls ? /:443$/ : /:80$/, '');
}

/** Why the answer is none, §4.1; a server may choose none of the sub-protocols. */
function faultOf({ fields }: Answer, key: string, protocols: readonly string[]): string | undefined {
  if (fields.get('upgrade')?.toLowerCase() !== 'websocket') return 'Invalid Upgrade header';
  if (!/(^|,)[ \t]*upgrade[ \t]*(,|$)/i.test(fields.get('connection') ?? '')) return 'Invalid Connection header';
  if (fields.get('sec-websocket-accept') !== acceptOf(key)) return 'Invalid Sec-WebSocket-Accept header';
  if (fields.has('sec-websocket-extensions')) return 'Server sent an extension that was not asked for';
  const protocol = fields.get('sec-websocket-protocol');
  if (protocol !== undefined && !protocols.includes(protocol)) return 'Server sent an invalid subprotocol';
  return undefined;
}
