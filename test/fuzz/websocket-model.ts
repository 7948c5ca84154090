/**
 * RFC 6455 as a model: what a peer says, frame by frame, and how a server must answer the first thing that is wrong. Written
 * from the RFC; where it leaves a choice, or where a server may be lenient, all right answers are listed.
 */

/** One frame as its octets are to be, right or wrong. */
export interface RawFrame {
  readonly fin: boolean;
  /** The three reserved bits, 0 to 7. */
  readonly reserved: number;
  readonly opcode: number;
  readonly masked: boolean;
  readonly payload: Uint8Array;
  /**
   * How the length is written; the shortest that fits when absent. §5.2 wants the shortest, and servers take longer ones, for
   * they harm nobody; only control frames have no other form than the shortest.
   */
  readonly lengthForm?: 16 | 64 | undefined;
  /** The length that is said, when it is not that of the payload. */
  readonly announced?: bigint | undefined;
}

export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const CONTROL_MAX_BYTES = 125;

/** What a server may do with what it was sent: the codes of its close frame, or how the connection goes on. */
export type Expected =
  | { readonly kind: 'closed'; readonly codes: readonly number[] }
  /** Nothing was wrong: it waits for more, be it the rest of a frame or the next one. */
  | { readonly kind: 'waits'; readonly inFrame: boolean };

export interface Limits {
  /** Octets of a message that are surely too many. */
  readonly tooLarge: number;
  /** Parts of one message that are surely too many. */
  readonly tooManyParts: number;
}

/** No code was said: an empty close frame is answered by an empty one. */
export const NO_CODE = 1005;

export function octetsOf(frame: RawFrame, mask: readonly number[]): Buffer {
  const { fin, reserved, opcode, masked, payload } = frame;
  const length = frame.announced ?? BigInt(payload.length);
  const form = frame.lengthForm ?? (length <= 125n ? 7 : length <= 65_535n ? 16 : 64);
  const head = Buffer.alloc(form === 7 ? 2 : form === 16 ? 4 : 10);
  head[0] = (fin ? 128 : 0) | (reserved << 4) | opcode;
  head[1] = (masked ? 128 : 0) | (form === 7 ? Number(length) : form === 16 ? 126 : 127);
  if (form === 16) head.writeUInt16BE(Number(BigInt.asUintN(16, length)), 2);
  if (form === 64) head.writeBigUInt64BE(BigInt.asUintN(64, length), 2);
  if (!masked) return Buffer.concat([head, payload]);
  const hidden = payload.map((octet, index) => octet ^ (mask[index % 4] ?? 0));
  return Buffer.concat([head, Buffer.from(mask), hidden]);
}

/** The message that is being put together. */
interface Message {
  readonly text: boolean;
  readonly parts: Uint8Array[];
}

export function expectedOf(frames: readonly RawFrame[], limits: Limits): Expected {
  let message: Message | undefined;
  for (const frame of frames) {
    const fault = faultOf(frame, message, limits);
    if (fault.length > 0) return { kind: 'closed', codes: fault };
    const { opcode, payload, fin } = frame;
    if ((frame.announced ?? BigInt(payload.length)) > BigInt(payload.length)) return { kind: 'waits', inFrame: true };
    if (opcode === OPCODES.close) return { kind: 'closed', codes: [answerToClose(payload)] };
    if (opcode > OPCODES.close) continue;
    message ??= { text: opcode === OPCODES.text, parts: [] };
    message.parts.push(payload);
    if (message.parts.length > limits.tooManyParts) return { kind: 'closed', codes: [1008, 1009] };
    if (!fin) continue;
    if (message.text && !isUtf8(Buffer.concat(message.parts))) return { kind: 'closed', codes: [1007] };
    message = undefined;
  }
  return { kind: 'waits', inFrame: false };
}

/** Every code that is right for this frame; none when nothing is wrong with it. */
function faultOf(frame: RawFrame, message: Message | undefined, { tooLarge }: Limits): number[] {
  const { opcode, fin, payload } = frame;
  const length = frame.announced ?? BigInt(payload.length);
  const isControl = opcode >= 8;
  const known = (Object.values(OPCODES) as number[]).includes(opcode);
  const broken =
    frame.reserved !== 0 || // §5.2: no extension was agreed on
    !known ||
    !frame.masked || // §5.1
    (isControl && (!fin || length > BigInt(CONTROL_MAX_BYTES) || frame.lengthForm !== undefined)) || // §5.5
    (opcode === OPCODES.continuation && message === undefined) || // §5.4
    (!isControl && opcode !== OPCODES.continuation && message !== undefined) ||
    (opcode === OPCODES.close && isBrokenClose(payload, length)) ||
    length >= 2n ** 63n; // §5.2: the most significant bit must be 0
  const soFar = message?.parts.reduce((sum, part) => sum + part.length, 0) ?? 0;
  const large = length + BigInt(soFar) >= BigInt(tooLarge);
  const misread = opcode === OPCODES.close && payload.length > 2 && !isUtf8(payload.subarray(2));
  return [...(broken ? [1002] : []), ...(large ? [1009] : []), ...(misread ? [1007] : [])];
}

/** §7.4: codes that may stand in a close frame. */
function isSendable(code: number): boolean {
  return (code >= 1000 && code <= 1014 && ![1004, 1005, 1006].includes(code)) || (code >= 3000 && code <= 4999);
}

function isBrokenClose(payload: Uint8Array, length: bigint): boolean {
  if (length !== BigInt(payload.length)) return false;
  return payload.length === 1 || (payload.length > 1 && !isSendable(Buffer.from(payload).readUInt16BE(0)));
}

/** §5.5.1: the code is said back. */
function answerToClose(payload: Uint8Array): number {
  return payload.length < 2 ? NO_CODE : Buffer.from(payload).readUInt16BE(0);
}

export function isUtf8(octets: Uint8Array): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(octets);
    return true;
  } catch {
    return false;
  }
}

/** What a server said: whole frames, and the code of its close frame. Throws when a server's own frames are wrong. */
export function readServer(octets: Buffer): { readonly opcodes: readonly number[]; readonly code: number | undefined } {
  const opcodes: number[] = [];
  for (let at = 0; at + 2 <= octets.length; ) {
    const [first = 0, second = 0] = octets.subarray(at);
    if ((first & 0x70) !== 0 || (second & 0x80) !== 0) throw new Error('the server itself breaks the protocol');
    const short = second & 0x7f;
    const headLength = short === 126 ? 4 : short === 127 ? 10 : 2;
    if (at + headLength > octets.length) break;
    const length =
      short < 126 ? short : short === 126 ? octets.readUInt16BE(at + 2) : Number(octets.readBigUInt64BE(at + 2));
    const payload = octets.subarray(at + headLength, at + headLength + length);
    if (payload.length < length) break;
    opcodes.push(first & 0x0f);
    if ((first & 0x0f) === OPCODES.close) return { opcodes, code: answerToClose(payload) };
    at += headLength + length;
  }
  return { opcodes, code: undefined };
}
