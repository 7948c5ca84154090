/** Whom an HTTP request names. This backend believes it: the proxy before it has proven who the user is. */
import type { IncomingMessage } from 'node:http';

export interface NamedUser {
  readonly name: string | undefined;
  /** The header came more than once, which no proxy of ours does. */
  readonly ambiguous: boolean;
}

/** The first of `headers` (lower case) that is there and not empty. */
export function userOf(request: IncomingMessage, headers: readonly string[]): NamedUser {
  for (const header of headers) {
    const values = request.headersDistinct[header] ?? [];
    if (values.length > 1) return { name: undefined, ambiguous: true };
    const [value] = values;
    if (value !== undefined && value !== '') return { name: utf8(value), ambiguous: false };
  }
  return { name: undefined, ambiguous: false };
}

/** Node gives header octets as Latin-1; names beyond it are sent as UTF-8. What is not UTF-8 was meant as Latin-1. */
function utf8(latin1: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(latin1, 'latin1'));
  } catch {
    return latin1;
  }
}
