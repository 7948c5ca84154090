/** Frames as octets: never in parts, never with extensions. */
import { randomFillSync } from 'node:crypto';
import { CONTROL_MAX_BYTES, OPCODE } from './codes.ts';
import { applyMask } from './mask.ts';

/** Octets of a head of a frame with that much payload. */
function headLength(length: number, isMasked: boolean): number {
  return (length < 126 ? 2 : length < 65_536 ? 4 : 10) + (isMasked ? 4 : 0);
}

/** How many octets the frame has. */
export function frameLength(length: number, isMasked: boolean): number {
  return headLength(length, isMasked) + length;
}

/**
 * Writes a whole frame into `target` from `at` on.
 * @param isMasked a client must, a server must not, §5.1
 * @returns where the next one may begin
 */
export function writeFrame(
  target: Uint8Array,
  at: number,
  opcode: number,
  payload: Uint8Array,
  isMasked: boolean,
): number {
  const { length } = payload;
  target[at] = 0x80 | opcode;
  let next = writeLength(target, at + 1, length, isMasked ? 0x80 : 0);
  if (isMasked) {
    const mask = randomMask();
    for (let shift = 24; shift >= 0; shift -= 8) target[next++] = (mask >>> shift) & 0xff;
    applyMask(payload, 0, length, mask, target, next);
  } else target.set(payload, next);
  return next + length;
}

function writeLength(target: Uint8Array, at: number, length: number, flag: number): number {
  if (length < 126) {
    target[at] = flag | length;
    return at + 1;
  }
  const bytes = length < 65_536 ? 2 : 8;
  target[at] = flag | (bytes === 2 ? 126 : 127);
  let rest = length;
  for (let i = at + bytes; i > at; i--) {
    target[i] = rest % 256;
    rest = Math.floor(rest / 256);
  }
  return at + 1 + bytes;
}

export function frame(opcode: number, payload: Uint8Array, isMasked: boolean): Uint8Array {
  const octets = Buffer.allocUnsafe(frameLength(payload.length, isMasked));
  writeFrame(octets, 0, opcode, payload, isMasked);
  return octets;
}

const encoder = new TextEncoder();

/** @param code without one the payload is empty; the reason is cut where a character ends */
export function closeFrame(code: number | undefined, reason: string, isMasked: boolean): Uint8Array {
  if (code === undefined) return frame(OPCODE.close, new Uint8Array(), isMasked);
  const payload = new Uint8Array(CONTROL_MAX_BYTES);
  payload[0] = code >> 8;
  payload[1] = code & 0xff;
  const { written } = encoder.encodeInto(reason, payload.subarray(2));
  return frame(OPCODE.close, payload.subarray(0, 2 + written), isMasked);
}

/** Masks must not be foreseen (§5.3); random numbers cost less by the thousand. */
const masks = new Uint32Array(2_048);
let nextMask = masks.length;

function randomMask(): number {
  if (nextMask === masks.length) {
    randomFillSync(masks);
    nextMask = 0;
  }
  return masks[nextMask++] as number;
}
