/** The two headers of RFC 6455 §4 by which both sides know that the other one means it. */
import { hash, randomFillSync } from 'node:crypto';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
const KEY_BYTES = 16;
/** So many octets in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

export function isKey(key: string | undefined): key is string {
  return key !== undefined && KEY.test(key);
}

/** Random octets for many keys, since asking for them costs more than making them. */
const random = Buffer.alloc(256 * KEY_BYTES);
let nextAt = random.length;

export function newKey(): string {
  if (nextAt === random.length) {
    randomFillSync(random);
    nextAt = 0;
  }
  nextAt += KEY_BYTES;
  return random.toString('base64', nextAt - KEY_BYTES, nextAt);
}

/** The Sec-WebSocket-Accept that answers a Sec-WebSocket-Key. */
export function acceptOf(key: string): string {
  return hash('sha1', key + GUID, 'base64');
}
