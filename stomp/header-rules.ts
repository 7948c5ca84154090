/**
 * What a header line must be like. 'lenient' asks only for what framing needs; a version asks for what that version of the
 * specification demands, and refuses what servers are known to read in different ways.
 */
import { COLON, CR, indexOf } from './bytes.ts';
import { isEscaped } from './commands.ts';
import { frameFault } from './errors.ts';
import { isBlank, validEscapes } from './headers.ts';
import type { Version } from './versions.ts';

export type HeaderRules = Version | 'lenient';

/**
 * Where the colon stands that ends the name of the header [from, to), which is the `line`-th of its frame.
 *
 * @throws StompError 'bad-header' or 'bad-escape'.
 */
export function checkedColon(
  bytes: Uint8Array,
  from: number,
  to: number,
  command: string,
  line: number,
  rules: HeaderRules,
): number {
  const bad = (what: string) => frameFault('bad-header', command, `has a malformed header: line ${line} ${what}`);
  const colon = indexOf(COLON, bytes, from, to);
  if (colon < 0) throw bad('has no colon');
  if (rules === 'lenient') return colon;
  if (colon === from) throw bad('has an empty name');
  // Some 1.0 peers trim names: to them this would be a header that was not seen here.
  if (rules === '1.0' && (isBlank(bytes[from]) || isBlank(bytes[colon - 1]))) throw bad('has blanks round its name');
  if (rules === '1.2' && indexOf(CR, bytes, from, to) >= 0) throw bad('has a CR inside');
  if (isEscaped(command) && !validEscapes(bytes, from, to, rules)) {
    throw frameFault('bad-escape', command, `has an escape in header line ${line} that STOMP ${rules} lacks`);
  }
  return colon;
}

/**
 * The number of octets that a content-length header promises.
 *
 * @throws StompError 'bad-content-length'.
 */
export function contentLengthIn(value: string, command: string, rules: HeaderRules): number {
  const digits = rules === 'lenient' || rules === '1.0' ? value.trim() : value;
  if (/^[0-9]+$/.test(digits)) return Number(digits);
  throw frameFault('bad-content-length', command, 'has a content-length that is not a number of octets');
}
