/** Opcodes and close codes of RFC 6455. */

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Codes that the protocol itself gives, §7.4.1. */
export const CLOSE = {
  normal: 1000,
  protocolError: 1002,
  /** Never on the wire: the close frame had no code. */
  none: 1005,
  /** Never on the wire: there was no close frame. */
  abnormal: 1006,
  invalidPayload: 1007,
  tooBig: 1009,
  internalError: 1011,
} as const;

/** A control frame's payload is at most so long, §5.5. */
export const CONTROL_MAX_BYTES = 125;

/** May it stand in a close frame? §7.4, and the registry of codes up to 1014. */
export function isSendable(code: number): boolean {
  return (
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code <= 4999)
  );
}
