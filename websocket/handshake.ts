/** The two headers of RFC 6455 §4 by which both sides know that the other one means it. */
import { createHash, randomBytes } from 'node:crypto';

const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** 16 octets in base64. */
const KEY = /^[+/0-9A-Za-z]{22}==$/;

export function isKey(key: string | undefined): key is string {
  return key !== undefined && KEY.test(key);
}

export function newKey(): string {
  return randomBytes(16).toString('base64');
}

/** The Sec-WebSocket-Accept that answers a Sec-WebSocket-Key. */
export function acceptOf(key: string): string {
  return createHash('sha1')
    .update(key + GUID)
    .digest('base64');
}
