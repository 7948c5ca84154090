/**
 * Header lines on the wire. STOMP "Value Encoding":
 *
 * | version | escapes            | line end     | values                 |
 * |---------|--------------------|--------------|------------------------|
 * | 1.0     | none               | LF           | blanks round them fall |
 * | 1.1     | `\n` `\c` `\\`     | LF           | exact                  |
 * | 1.2     | also `\r`          | LF or CR LF  | exact                  |
 *
 * CONNECT and CONNECTED are never escaped in any version. A line is split at its first colon: real peers leave later
 * colons unescaped.
 */
import { BACKSLASH, BLANK, COLON, CR, LF, TAB } from './bytes.ts';
import type { Version } from './versions.ts';

const N = 110;
const C = 99;
const R = 114;

function isEscape(octet: number | undefined, version: Version): boolean {
  return octet === N || octet === C || octet === BACKSLASH || (octet === R && version === '1.2');
}

/** Whether every backslash in these octets begins an escape that `version` defines; always so in 1.0, which has none. */
export function validEscapes(bytes: Uint8Array, from: number, to: number, version: Version): boolean {
  if (version === '1.0') return true;
  for (let i = from; i < to; i++) {
    if (bytes[i] !== BACKSLASH) continue;
    i++;
    if (i >= to || !isEscape(bytes[i], version)) return false;
  }
  return true;
}

/** Where the line that ends at `to` (its LF excluded) ends without the CR that 1.2 allows before the LF. */
export function withoutCarriageReturn(bytes: Uint8Array, from: number, to: number, version: Version): number {
  return version === '1.2' && to > from && bytes[to - 1] === CR ? to - 1 : to;
}

export function isBlank(octet: number | undefined): boolean {
  return octet === BLANK || octet === TAB;
}

/**
 * Where the headers of a frame stand, as it keeps it: of each three numbers, `from`, `colon` and `to`. Its name is [from, colon), its value
 * (colon, to).
 */
export type HeaderSpans = readonly number[];

/** The header lines from `at` up to the blank line. The frame must have been read by the decoder: every line has a colon. */
export function headerSpans(bytes: Uint8Array, at: number, version: Version): HeaderSpans {
  const spans: number[] = [];
  for (let from = at; ; ) {
    const lf = bytes.indexOf(LF, from);
    const to = withoutCarriageReturn(bytes, from, lf, version);
    // A list that has grown has room for more; a session keeps its CONNECT for ever.
    if (to <= from) return spans.slice();
    spans.push(from, bytes.indexOf(COLON, from), to);
    from = lf + 1;
  }
}

const MEANINGS: Readonly<Record<string, string>> = { '\\n': '\n', '\\c': ':', '\\\\': '\\', '\\r': '\r' };

/** What a name or value means; an escape that the version does not define stays as it stands. */
export function unescapeText(raw: string, version: Version): string {
  if (version === '1.0' || !raw.includes('\\')) return raw;
  const escapes = version === '1.2' ? /\\[nc\\r]/g : /\\[nc\\]/g;
  return raw.replace(escapes, (sequence) => MEANINGS[sequence] ?? sequence);
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', ':': '\\c', '\r': '\\r' };

/** `value` as it stands on the wire of an escaped frame. 1.1 has no escape for CR, where it is an octet like any other. */
export function escapeText(value: string, version: Version): string {
  if (version === '1.0') return value;
  const special = version === '1.2' ? /[\\\n:\r]/g : /[\\\n:]/g;
  return value.replace(special, (character) => ESCAPES[character] ?? character);
}
