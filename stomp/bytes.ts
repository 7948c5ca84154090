/** Octets that have a meaning in STOMP, and text in and out of octets. */
export const NUL = 0;
export const TAB = 9;
export const LF = 10;
export const CR = 13;
export const BLANK = 32;
export const COLON = 58;
export const BACKSLASH = 92;

export const EMPTY = new Uint8Array(0);

const encoder = new TextEncoder();
// A byte order mark at the start of a header value belongs to the value.
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

export function utf8(text: string): Uint8Array {
  return encoder.encode(text);
}

/** Octets that are not UTF-8 become U+FFFD: reading never fails, and what is forwarded are the raw octets anyway. */
export function text(bytes: Uint8Array, from: number, to: number): string {
  return decoder.decode(bytes.subarray(from, to));
}

/** Where `octet` first stands in [from, to), or -1. */
export function indexOf(octet: number, bytes: Uint8Array, from: number, to: number): number {
  for (let i = from; i < to; i++) if (bytes[i] === octet) return i;
  return -1;
}

/** Whether `bytes` holds exactly `expected` from `from` to `to`. */
export function same(bytes: Uint8Array, from: number, to: number, expected: Uint8Array): boolean {
  if (to - from !== expected.length) return false;
  for (let i = 0; i < expected.length; i++) if (bytes[from + i] !== expected[i]) return false;
  return true;
}

export function concat(parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((length, part) => length + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
