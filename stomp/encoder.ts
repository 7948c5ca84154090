import { concat, LF, NUL, utf8 } from './bytes.ts';
import { isEscaped } from './commands.ts';
import type { Frame } from './frame.ts';
import { escapeText } from './headers.ts';
import type { Version } from './versions.ts';

/** Headers in the order in which they shall stand; entries whose value is undefined are left out. */
export type HeaderInit = Iterable<readonly [string, string]> | Readonly<Record<string, string | number | undefined>>;

/** A heart-beat: one line end. */
export const HEARTBEAT: Uint8Array = Uint8Array.of(LF);

const END = Uint8Array.of(NUL);
const CONTENT_LENGTH = 'content-length';

/**
 * A frame with its NUL. Names and values are escaped by the rules of `version`; CONNECT, STOMP and CONNECTED never are.
 * `content-length` is added when there is a body, unless it is given.
 *
 * @throws RangeError when a header cannot be said in that version and command, or a given content-length is not the body's.
 */
export function encode(
  command: string,
  headers: HeaderInit = [],
  body?: string | Uint8Array,
  version: Version = '1.2',
): Uint8Array {
  const octets = typeof body === 'string' ? utf8(body) : body;
  const entries = entriesOf(headers);
  const given = checkContentLength(entries, octets?.length ?? 0);
  const missing: typeof entries = octets !== undefined && !given ? [[CONTENT_LENGTH, String(octets.length)]] : [];
  const head = `${checkedCommand(command)}\n${headerText(command, [...entries, ...missing], version)}\n`;
  return octets === undefined ? utf8(`${head}\0`) : concat([utf8(head), octets, END]);
}

/**
 * A frame made of the raw parts of another: `drop` removes headers by their decoded name, `add` puts headers before all
 * others (the first of a name wins). Body and untouched header lines stay octet for octet; line ends become LF.
 * content-length is never dropped, because the body stays.
 *
 * @param version the rules by which `add` is escaped; default: those of the frame.
 * @throws RangeError as `encode`.
 */
export function rewrite(
  frame: Frame,
  change: { command?: string; drop?: (name: string) => boolean; add?: HeaderInit },
  version: Version = frame.version,
): Uint8Array {
  const { drop, add = [] } = change;
  const command = checkedCommand(change.command ?? frame.command);
  const added = entriesOf(add);
  checkContentLength(added, frame.bodyLength);
  const head = utf8(`${command}\n${headerText(command, added, version)}`);
  return frame.behind(head, drop && ((name) => name === CONTENT_LENGTH || !drop(name)));
}

function checkedCommand(command: string): string {
  if (/^[A-Z]+$/.test(command)) return command;
  throw new RangeError(`a STOMP command is upper-case letters, not ${JSON.stringify(command)}`);
}

function entriesOf(headers: HeaderInit): readonly (readonly [string, string])[] {
  if (isIterable(headers)) return Array.isArray(headers) ? headers : Array.from(headers);
  return Object.entries(headers).flatMap(([name, value]) => (value === undefined ? [] : [[name, String(value)]]));
}

function isIterable(headers: HeaderInit): headers is Iterable<readonly [string, string]> {
  return Symbol.iterator in headers;
}

/** Whether the entries hold a content-length; a wrong one would make every later frame unreadable. */
function checkContentLength(entries: readonly (readonly [string, string])[], length: number): boolean {
  const given = entries.filter(([name]) => name === CONTENT_LENGTH);
  for (const [, value] of given) {
    if (value !== String(length)) throw new RangeError(`content-length is ${value}, but the body has ${length} octets`);
  }
  return given.length > 0;
}

function headerText(command: string, entries: readonly (readonly [string, string])[], version: Version): string {
  const escaped = isEscaped(command) && version !== '1.0';
  let lines = '';
  for (const [name, value] of entries) {
    checkHeader(command, name, value, escaped, version);
    lines += escaped ? `${escapeText(name, version)}:${escapeText(value, version)}\n` : `${name}:${value}\n`;
  }
  return lines;
}

/** Refuses what the frame could not carry. Values stay out of the message: it may be logged. */
function checkHeader(command: string, name: string, value: string, escaped: boolean, version: Version): void {
  if (name === '') throw new RangeError(`${command} has a header with an empty name`);
  const fault = faultOf(name, value, escaped, version);
  if (fault !== undefined) throw new RangeError(`header '${name}' of ${command} in STOMP ${version} ${fault}`);
}

function faultOf(name: string, value: string, escaped: boolean, version: Version): string | undefined {
  if (/\0/.test(name) || /\0/.test(value)) return 'contains NUL, which has no escape';
  if (version === '1.0' && /^[ \t]|[ \t]$/.test(name)) return 'has blanks round its name';
  if (escaped) return undefined;
  if (/[\r\n:]/.test(name)) return 'has CR, LF or a colon in its name, which have no escape here';
  if (/[\r\n]/.test(value)) return 'contains CR or LF, which have no escape here';
  return undefined;
}
