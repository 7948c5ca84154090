/**
 * Frames as one line of text, so that tests read as traces: `SUBSCRIBE id:1 destination:/queue/a | body`.
 * A `~` stands for a blank inside a value; `content-length` is never shown.
 */
import { encode, type Frame, frameOf, type Peer, type Version } from '../../stomp/index.ts';

export function frame(line: string, peer: Peer, version: Version = '1.2'): Frame {
  return frameOf(bytes(line, version), peer, version);
}

export function bytes(line: string, version: Version = '1.2'): Uint8Array {
  const at = line.indexOf(' | ');
  const head = at < 0 ? line : line.slice(0, at);
  const [command = '', ...headers] = head.split(' ');
  return encode(command, headers.map(header), at < 0 ? undefined : line.slice(at + 3), version);
}

function header(text: string): [string, string] {
  const colon = text.indexOf(':');
  return [text.slice(0, colon), text.slice(colon + 1).replaceAll('~', ' ')];
}

/** The line of a frame, whoever sent it. */
export function line(raw: Uint8Array, peer: Peer): string {
  const read = frameOf(raw, peer);
  const headers = [...read.headers()].filter(([name]) => name !== 'content-length');
  const words = [read.command, ...headers.map(([name, value]) => `${name}:${value.replaceAll(' ', '~')}`)].join(' ');
  return read.body.length === 0 ? words : `${words} | ${new TextDecoder().decode(read.body)}`;
}
