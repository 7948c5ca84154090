/**
 * How a frame is spread over several WebSocket messages when the peer takes only so much in one: Spring 16 KiB of text and 8 KiB
 * of binary (then close 1009), Artemis 64 KiB. STOMP is a stream to such peers. ActiveMQ reads exactly one frame per message.
 */

import type { ChunkRules } from '../session/index.ts';

/** The largest message that the peer takes; Infinity where nothing is to be split. */
export function messageMaxBytes(limits: ChunkRules | undefined, binary: boolean): number {
  if (limits === undefined || limits.oneFramePerMessage) return Number.POSITIVE_INFINITY;
  return binary ? limits.binaryMaxBytes : limits.textMaxBytes;
}

/**
 * Views of `bytes`, in order, none larger than `maxBytes`. A text message ends at the end of a character; none ends with CR, as
 * Spring's decoder fails when it sees CR before the LF is there. Where there is no such place (a run of CRs, octets that are
 * no UTF-8), the limit decides.
 */
export function chunksOf(bytes: Uint8Array, maxBytes: number, binary: boolean): Uint8Array[] {
  const chunks: Uint8Array[] = [];
  let from = 0;
  while (bytes.length - from > maxBytes) {
    const to = cutBefore(bytes, from, from + maxBytes, binary);
    chunks.push(bytes.subarray(from, to));
    from = to;
  }
  chunks.push(bytes.subarray(from));
  return chunks;
}

const CR = 13;

/** The last place to cut that is not after `to`; `to` itself when there is none after `from`. */
function cutBefore(bytes: Uint8Array, from: number, to: number, binary: boolean): number {
  let at = to;
  while (at > from && ((!binary && isContinuation(bytes[at])) || bytes[at - 1] === CR)) at--;
  return at > from ? at : to;
}

/** 10xxxxxx: not the first octet of a character (RFC 3629 section 3). */
function isContinuation(octet: number | undefined): boolean {
  return octet !== undefined && (octet & 0xc0) === 0x80;
}
