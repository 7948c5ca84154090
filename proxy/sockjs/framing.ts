/**
 * SockJS framing, as text (sockjs-protocol 0.3.3, "Protocol and framing").
 *
 *     server to client   o   h   a["…","…"]   c[code,"reason"]
 *     client to server   ["…","…"]   or one JSON string
 *
 * What stands in the strings is a stream: a STOMP frame may be spread over several of them, and one may hold several frames.
 */

export const OPEN = 'o';
export const HEARTBEAT = 'h';

/** What a peer has said. `broken`: no SockJS. */
export type Said =
  | { readonly type: 'open' | 'heartbeat' | 'broken' }
  | { readonly type: 'messages'; readonly messages: readonly string[] }
  | { readonly type: 'close'; readonly code: number; readonly reason: string };

const BROKEN: Said = { type: 'broken' };

/** How one side of a connection writes and reads. */
export interface Framing {
  /** Said as soon as the connection is there. */
  readonly greeting: string | undefined;
  wrap(text: string): string;
  read(text: string): Said;
  /** Said before the connection is closed. */
  farewell(code: number, reason: string): string | undefined;
}

/** We are the server: the peer is a SockJS client. */
export const serverFraming: Framing = {
  greeting: OPEN,
  wrap: (text) => arrayFrame([quote(text)]),
  read: readClient,
  farewell: closeFrame,
};

/** We are the client: the peer is a SockJS server. */
export const clientFraming: Framing = {
  greeting: undefined,
  wrap: (text) => `[${quote(text)}]`,
  read: readServer,
  farewell: () => undefined,
};

/** What browsers have mangled on some transport, besides what JSON escapes anyway ("JSON Unicode Encoding"). */
const MANGLED = /[\u200c-\u200f\u2028-\u202f\u2060-\u206f\ufff0-\uffff]/g;

/** The text as a JSON string. */
export function quote(text: string): string {
  return JSON.stringify(text).replace(MANGLED, (character) => `\\u${character.charCodeAt(0).toString(16)}`);
}

/** @param quoted what `quote` gave */
export function arrayFrame(quoted: readonly string[]): string {
  return `a[${quoted.join(',')}]`;
}

export function closeFrame(code: number, reason: string): string {
  return `c[${code},${quote(reason)}]`;
}

function readClient(text: string): Said {
  if (text === '') return { type: 'messages', messages: [] };
  const said = parse(text);
  return messagesOf(typeof said === 'string' ? [said] : said);
}

function readServer(text: string): Said {
  switch (text[0]) {
    case 'o':
      return text === OPEN ? { type: 'open' } : BROKEN;
    case 'h':
      return text === HEARTBEAT ? { type: 'heartbeat' } : BROKEN;
    case 'a':
      return messagesOf(parse(text.slice(1)));
    case 'c':
      return closeOf(parse(text.slice(1)));
    default:
      return BROKEN;
  }
}

function messagesOf(said: unknown): Said {
  if (!Array.isArray(said) || !said.every((item) => typeof item === 'string')) return BROKEN;
  return { type: 'messages', messages: said };
}

function closeOf(said: unknown): Said {
  const [code, reason] = Array.isArray(said) ? said : [];
  if (!Number.isInteger(code) || typeof reason !== 'string') return BROKEN;
  return { type: 'close', code, reason };
}

/** undefined for what is no JSON. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
