/**
 * A slow decoder that is right by looking at it: it reads a whole stream at once, as a string with one character for each
 * octet, and follows the specification line by line. The real decoder must agree with it at any chunking.
 */
import type { DecoderLimits, Peer, StompErrorCode, Version } from '../../stomp/index.ts';

export interface Rules {
  peer: Peer;
  version: Version;
  strict: boolean;
  limits: DecoderLimits;
}

export interface PlainFrame {
  command: string;
  raw: string;
  headerLines: string[];
  headers: [string, string][];
  body: string;
}

export interface Reading {
  frames: PlainFrame[];
  error: StompErrorCode | undefined;
  /** Octets of a frame that has begun and not ended. */
  rest: number;
}

const COMMANDS = {
  client: 'CONNECT STOMP SEND SUBSCRIBE UNSUBSCRIBE ACK NACK BEGIN COMMIT ABORT DISCONNECT'.split(' '),
  server: 'CONNECTED MESSAGE RECEIPT ERROR'.split(' '),
};
const UNESCAPED = ['CONNECT', 'STOMP', 'CONNECTED'];
const WITH_BODY = ['SEND', 'MESSAGE', 'ERROR'];
const ESCAPES = { '1.0': /(?!)/g, '1.1': /\\[nc\\]/g, '1.2': /\\[ncr\\]/g };
const MEANT: Record<string, string> = { '\\n': '\n', '\\c': ':', '\\r': '\r', '\\\\': '\\' };

export const latin1 = (octets: Uint8Array): string => Buffer.from(octets).toString('latin1');
const utf8 = (octets: string): string =>
  new TextDecoder('utf-8', { ignoreBOM: true }).decode(Buffer.from(octets, 'latin1'));

export function readAll(octets: Uint8Array, rules: Rules): Reading {
  const frames: PlainFrame[] = [];
  let rest = latin1(octets);
  for (;;) {
    rest = rest.replace(/^[\r\n]+/, '');
    const first = rest === '' ? 'incomplete' : readOne(rest, rules);
    if (first === 'incomplete') return { frames, error: undefined, rest: rest.length };
    if (typeof first === 'string') return { frames, error: first, rest: 0 };
    frames.push(first);
    rest = rest.slice(first.raw.length);
  }
}

function readOne(stream: string, rules: Rules): PlainFrame | 'incomplete' | StompErrorCode {
  const { peer, version, strict, limits } = rules;
  const commandLine = lineOf(stream, 0, version);
  if (commandLine.raw.length > 12 || commandLine.end === '\0') return 'unknown-command';
  if (commandLine.end === '') return 'incomplete';
  const command = commandLine.content;
  if (!COMMANDS[peer].includes(command)) return 'unknown-command';

  const headersAt = commandLine.next;
  const limit = Math.min(headersAt + limits.maxHeaderBytes, limits.maxFrameBytes);
  const tooLarge = limits.maxFrameBytes === limit ? 'frame-too-large' : 'header-too-large';
  const headerLines: string[] = [];
  let contentLength: number | undefined;
  let at = headersAt;
  for (;;) {
    const line = lineOf(stream, at, version);
    if (line.end === '') {
      const room = tooLarge === 'frame-too-large' ? 0 : 1;
      return stream.length > limit + room ? tooLarge : 'incomplete';
    }
    const blank = line.content === '' && line.end === '\n';
    if (!blank && line.next > limit) return tooLarge;
    if (line.end === '\0') return 'bad-header';
    at = line.next;
    if (blank) break;
    headerLines.push(line.content);
    if (headerLines.length > limits.maxHeaders) return 'too-many-headers';
    const fault = faultOf(line.content, command, version, strict);
    if (fault !== undefined) return fault;
    if (!line.content.startsWith('content-length:')) continue;
    const digits = line.content.slice('content-length:'.length);
    const trimmed = !strict || version === '1.0' ? utf8(digits).trim() : digits;
    if (!/^\d+$/.test(trimmed)) return 'bad-content-length';
    if (contentLength === undefined) contentLength = Number(trimmed);
    else if (strict && contentLength !== Number(trimmed)) return 'bad-content-length';
  }

  if (at > limits.maxFrameBytes) return 'frame-too-large';
  const bodyless = strict && !WITH_BODY.includes(command);
  if (bodyless && (contentLength ?? 0) > 0) return 'unexpected-body';
  if (bodyless) contentLength = 0;
  if (at + (contentLength ?? 0) + 1 > limits.maxFrameBytes) return 'frame-too-large';
  const nul = contentLength === undefined ? stream.indexOf('\0', at) : at + contentLength;
  const length = nul === -1 ? stream.length : nul + 1;
  if (length > limits.maxFrameBytes) return 'frame-too-large';
  if (nul === -1 || nul >= stream.length) return 'incomplete';
  if (stream[nul] !== '\0') return bodyless ? 'unexpected-body' : 'missing-nul';
  const headers = headerLines.map((line) => headerOf(line, command, version));
  return { command, raw: stream.slice(0, length), headerLines, headers, body: stream.slice(at, nul) };
}

/** The line at `at`, ended by LF, by NUL or ('') by the end of the stream. */
function lineOf(stream: string, at: number, version: Version) {
  const found = /[\n\0]/.exec(stream.slice(at));
  const raw = found === null ? stream.slice(at) : stream.slice(at, at + found.index);
  const end = found?.[0] ?? '';
  const content = version === '1.2' && end === '\n' ? raw.replace(/\r$/, '') : raw;
  return { raw, content, end, next: at + raw.length + end.length };
}

function faultOf(line: string, command: string, version: Version, strict: boolean): StompErrorCode | undefined {
  const [name, ...values] = line.split(':');
  if (values.length === 0) return 'bad-header';
  if (!strict) return undefined;
  if (name === '') return 'bad-header';
  if (version === '1.0' && /^[ \t]|[ \t]$/.test(name ?? '')) return 'bad-header';
  if (version === '1.2' && line.includes('\r')) return 'bad-header';
  if (version === '1.0' || UNESCAPED.includes(command)) return undefined;
  return line.replace(ESCAPES[version], '').includes('\\') ? 'bad-escape' : undefined;
}

function headerOf(line: string, command: string, version: Version): [string, string] {
  const colon = line.indexOf(':');
  const value = line.slice(colon + 1);
  const escapes = UNESCAPED.includes(command) ? ESCAPES['1.0'] : ESCAPES[version];
  const meaning = (octets: string) => utf8(octets).replace(escapes, (sequence) => MEANT[sequence] ?? sequence);
  return [meaning(line.slice(0, colon)), meaning(version === '1.0' ? value.replace(/^[ \t]+|[ \t]+$/g, '') : value)];
}
