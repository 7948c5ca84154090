/** What a peer may say over WebSocket: conversations that are right for a while, and then often are not. */
import fc from 'fast-check';
import { CONNECT, clientFrame } from './stomp.ts';
import { isUtf8, OPCODES, type RawFrame } from './websocket-model.ts';

export interface Conversation {
  readonly frames: readonly RawFrame[];
  /** After the octets: where they are cut into writes, and how the peer ends when nothing was wrong. */
  readonly cuts: readonly number[];
  readonly mask: readonly number[];
  readonly leaves: 'close' | 'end' | 'reset';
  /** Its messages are any STOMP, right or wrong: then only codes that STOMP may give are added to the right ones. */
  readonly stomp: boolean;
}

/** Heart-beats: whole and harmless STOMP, so that the only faults are those of WebSocket. */
const beats = fc.integer({ min: 0, max: 5 }).map((count) => new Uint8Array(count).fill(10));
const notUtf8 = fc
  .constantFrom([0xff], [10, 0xc3], [0xed, 0xa0, 0x80], [0xf8, 0x88, 0x80, 0x80], [0xc0, 0xaf])
  .map((octets) => Uint8Array.from(octets));
const code = fc.constantFrom(
  1000,
  1001,
  1003,
  1007,
  1011,
  3000,
  4999,
  0,
  999,
  1004,
  1005,
  1006,
  1015,
  1016,
  2999,
  5000,
  65_535,
);
const closePayload = fc.oneof(
  fc.constant(new Uint8Array()),
  fc.constant(Uint8Array.of(3)),
  code.map((value) => Uint8Array.of(value >> 8, value & 255)),
  code.map((value) => Uint8Array.of(value >> 8, value & 255, 0x62, 0x79, 0x65)),
  fc.constant(Uint8Array.of(3, 232, 0xff, 0xfe)),
  fc.constant(new Uint8Array(126).fill(97)),
);
const bytes = (length: number) => new Uint8Array(length).fill(10);
const controlPayload = fc.constantFrom(0, 1, 124, 125, 126, 127, 300).map(bytes);
const announced = fc.constantFrom<bigint>(
  ...[126n, 65_535n, 65_536n, 2n ** 20n, 2n ** 31n - 1n, 2n ** 31n, 2n ** 32n, 2n ** 53n - 1n, 2n ** 53n],
  ...[2n ** 62n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n],
);
const rare = <T>(usual: T, odd: fc.Arbitrary<T>) =>
  fc.oneof({ weight: 30, arbitrary: fc.constant(usual) }, { weight: 1, arbitrary: odd });
const data = fc.constantFrom<number>(OPCODES.text, OPCODES.binary, OPCODES.text, OPCODES.binary, OPCODES.continuation);

const frame: fc.Arbitrary<RawFrame> = fc
  .record({
    fin: fc.oneof({ weight: 3, arbitrary: fc.constant(true) }, { weight: 1, arbitrary: fc.constant(false) }),
    reserved: rare(0, fc.integer({ min: 1, max: 7 })),
    opcode: fc.oneof(
      { weight: 8, arbitrary: data },
      { weight: 2, arbitrary: fc.constantFrom<number>(OPCODES.ping, OPCODES.pong) },
      { weight: 1, arbitrary: fc.constantFrom<number>(OPCODES.close, 3, 7, 11, 15) },
    ),
    masked: rare(true, fc.constant(false)),
    plain: fc.oneof({ weight: 12, arbitrary: beats }, { weight: 1, arbitrary: notUtf8 }),
    control: fc.oneof({ weight: 6, arbitrary: beats }, { weight: 1, arbitrary: controlPayload }),
    close: closePayload,
    lengthForm: rare<16 | 64 | undefined>(undefined, fc.constantFrom(16, 64)),
    announced: rare<bigint | undefined>(undefined, announced),
    isWhole: fc.boolean(),
  })
  .map(({ plain, control, close, isWhole, ...head }) => {
    const payload = head.opcode === OPCODES.close ? close : head.opcode > 8 ? control : plain;
    const isControl = head.opcode >= 8;
    const fin = head.fin || (isControl && isWhole);
    // A length that is said must be sayable in the form that it is said in.
    const form = head.announced === undefined ? head.lengthForm : head.announced > 65_535n ? 64 : 16;
    return { ...head, fin, payload, lengthForm: form };
  });

/** A message in more parts than any client has. */
const flood: fc.Arbitrary<readonly RawFrame[]> = fc
  .record({ opcode: fc.constantFrom<number>(1, 2), parts: fc.integer({ min: 200, max: 400 }), octets: fc.nat(1) })
  .map(({ opcode, parts, octets }) =>
    Array.from({ length: parts }, (_, index) =>
      good(index === 0 ? opcode : OPCODES.continuation, bytes(octets), false),
    ),
  );
/** A message that is too large, honestly: all its octets come. */
const large: fc.Arbitrary<readonly RawFrame[]> = fc
  .constantFrom<number>(1, 2)
  .map((opcode) => [good(opcode, bytes(200_000))]);

function good(opcode: number, payload: Uint8Array, fin = true): RawFrame {
  return { fin, reserved: 0, opcode, masked: true, payload };
}

const opening = good(OPCODES.text, CONNECT);
const webSocket: fc.Arbitrary<readonly RawFrame[]> = fc
  .tuple(
    fc.boolean(),
    fc.array(frame, { maxLength: 6 }),
    fc.oneof(
      { weight: 20, arbitrary: fc.constant<readonly RawFrame[]>([]) },
      { weight: 1, arbitrary: flood },
      { weight: 1, arbitrary: large },
    ),
  )
  .map(([isConnected, frames, more]) => untilCut([...(isConnected ? [opening] : []), ...harmless(frames), ...more]));

/** What follows a frame that says to be longer than it is would be read as the rest of it. */
function untilCut(frames: readonly RawFrame[]): readonly RawFrame[] {
  const cut = frames.findIndex(({ announced }) => announced !== undefined);
  return cut < 0 ? frames : frames.slice(0, cut + 1);
}

/** STOMP of any kind, in whole messages. */
const stomp: fc.Arbitrary<readonly RawFrame[]> = fc
  .array(clientFrame, { minLength: 1, maxLength: 5 })
  .map((frames) => [opening, ...frames.filter(isUtf8).map((payload) => good(OPCODES.text, payload))]);

/** Octets that are no UTF-8 are a fault of text messages only; in binary ones they would be one of STOMP. */
function harmless(frames: readonly RawFrame[]): RawFrame[] {
  let inBinary = false;
  return frames.map((frame) => {
    if (frame.opcode === OPCODES.binary) inBinary = true;
    else if (frame.opcode === OPCODES.text) inBinary = false;
    const isData = frame.opcode < 8;
    return isData && inBinary ? { ...frame, payload: bytes(frame.payload.length) } : frame;
  });
}

const shape = {
  cuts: fc.array(fc.integer({ min: 1, max: 2000 }), { maxLength: 3 }),
  mask: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 4, maxLength: 4 }),
  leaves: fc.constantFrom('close' as const, 'close' as const, 'end' as const, 'reset' as const),
};
export const conversation: fc.Arbitrary<Conversation> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ ...shape, frames: webSocket, stomp: fc.constant(false) }) },
  { weight: 1, arbitrary: fc.record({ ...shape, frames: stomp, stomp: fc.constant(true) }) },
);

export const LEAVE = good(OPCODES.close, Uint8Array.of(3, 232));
