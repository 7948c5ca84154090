/**
 * What a user may be called: 1 to 256 bytes of UTF-8, no control characters, nothing that changes how text around it is
 * read or shown, no blanks at the ends. Names are compared byte for byte; no case folding, no Unicode normalisation.
 *
 * Slashes, colons, commas and the like are allowed, because e-mail addresses, URNs and paths are used as names. Where a
 * name goes, it is encoded as that place needs:
 * - in a URL (gateway, producer door, `/user/{user}/…`): encodeURIComponent, so '/' is %2F and ':' is %3A;
 * - in an HTTP header: the UTF-8 bytes as they are (obs-text of RFC 9110 section 5.5); a blank at either end would be
 *   lost there, and bob would be somebody else than " bob", hence the rule;
 * - in CONNECT: as it is; a header there ends at the line's end and is split at its first colon (STOMP 1.2, "Value Encoding").
 */

export const MAX_USER_BYTES = 256;

// Line and paragraph separators, marks and controls of direction (Unicode 16, Bidi_Control), the byte order mark, and
// U+FFFD, which says that the bytes were no UTF-8 somewhere on the way.
const UNREADABLE = /[\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufffd]/;

/** What is wrong with a name, to complete "the user name …"; undefined when nothing is. Never holds the name. */
export function userNameProblem(name: string): string | undefined {
  if (name === '') return 'is empty';
  if (!name.isWellFormed()) return 'is no valid Unicode text';
  if (Buffer.byteLength(name) > MAX_USER_BYTES) return `is longer than ${MAX_USER_BYTES} bytes`;
  if (/\p{Cc}/u.test(name)) return 'holds a control character';
  if (UNREADABLE.test(name)) return 'holds a character that hides or reorders text';
  if (name !== name.trim()) return 'begins or ends with a blank';
  return undefined;
}

/** A name as node wants header values: one character for each byte. */
export function toHeaderValue(name: string): string {
  return Buffer.from(name, 'utf8').toString('latin1');
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The text that node's header value stands for; undefined when its bytes are no UTF-8. */
export function fromHeaderValue(value: string): string | undefined {
  try {
    return utf8.decode(Buffer.from(value, 'latin1'));
  } catch {
    return undefined;
  }
}
