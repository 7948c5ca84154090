/**
 * RFC 6455, case by case: every opcode with every reserved bit, whole and in parts, masked and not, alone and inside another
 * message; every form of length; every edge of the close codes. The model of the fuzzer says what is right, and the reader must
 * do that however its octets are cut.
 */
import { describe, expect, test } from 'vitest';
import { expectedOf, octetsOf, type RawFrame } from '../fuzz/websocket-model.ts';
import { cuttings, read, type Saw } from './reading.ts';

const MAX_BYTES = 70_000;
const MAX_PARTS = 3;
const MODEL = { tooLarge: MAX_BYTES + 1, tooManyParts: MAX_PARTS };
const MASK = [0x37, 0xfa, 0x21, 0x3d];

const frame = (change: Partial<RawFrame>): RawFrame => ({
  ...{ fin: true, reserved: 0, opcode: 1, masked: true, payload: new Uint8Array() },
  ...change,
});

interface Case {
  readonly name: string;
  readonly frames: readonly RawFrame[];
}

const PEERS = ['client', 'server'] as const;
const OPCODES = Array.from({ length: 16 }, (_, opcode) => opcode);

const heads: Case[] = OPCODES.flatMap((opcode) =>
  [0, 1, 2, 4, 7].flatMap((reserved) =>
    [true, false].flatMap((fin) =>
      [true, false].flatMap((masked) =>
        [[], [frame({ fin: false })]].map((before) => ({
          name: `opcode ${opcode}, reserved ${reserved}, fin ${fin}, ${masked ? 'as it must be' : 'the mask wrong'}, ${before.length === 0 ? 'alone' : 'in a message'}`,
          frames: [...before, frame({ opcode, reserved, fin, masked }), frame({ opcode: 2 })],
        })),
      ),
    ),
  ),
);

const lengths: Case[] = [0, 1, 2, 47, 48, 125, 126, 127, 65_535, 65_536, MAX_BYTES, MAX_BYTES + 1].flatMap((length) =>
  [1, 2, 9, 10].flatMap((opcode) =>
    ([undefined, 16, 64] as const)
      .filter((form) => form !== 16 || length <= 65_535)
      .map((lengthForm) => ({
        name: `${length} octets, opcode ${opcode}, length in ${lengthForm ?? 'the shortest'} form`,
        frames: [frame({ opcode, lengthForm, payload: octets(length) }), frame({ opcode: 2 })],
      })),
  ),
);

const announced: Case[] = [MAX_BYTES, MAX_BYTES + 1, 2 ** 31, 2 ** 32, 2 ** 53]
  .map(BigInt)
  .concat(2n ** 62n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 1n)
  .map((length) => ({
    name: `${length} octets that never come`,
    frames: [frame({ opcode: 2, announced: length })],
  }));

const sums: Case[] = [-1, 0, 1].map((more) => ({
  name: `a message in parts of ${MAX_BYTES + more} octets`,
  frames: [
    frame({ opcode: 2, fin: false, payload: octets(MAX_BYTES - 10) }),
    frame({ opcode: 0, payload: octets(10 + more) }),
  ],
}));

const parts: Case[] = [MAX_PARTS - 1, MAX_PARTS, MAX_PARTS + 1].map((count) => ({
  name: `a message in ${count} parts`,
  frames: Array.from({ length: count }, (_, i) => frame({ opcode: i === 0 ? 2 : 0, fin: i === count - 1 })),
}));

const codes: Case[] = [
  0, 1, 999, 1000, 1003, 1004, 1005, 1006, 1007, 1014, 1015, 1016, 2999, 3000, 4999, 5000, 65_535,
].flatMap((code) =>
  [[], octetsOfText('bye'), octetsOfText('ü'.repeat(61)), octetsOfText('x'.repeat(123)), [0xff], [0xc3]].map(
    (reason) => ({
      name: `close ${code} with ${reason.length} octets of reason`,
      frames: [frame({ opcode: 8, payload: Uint8Array.of(code >> 8, code & 0xff, ...reason) }), frame({ opcode: 2 })],
    }),
  ),
);

const texts: Case[] = (
  [
    ['ASCII', octetsOfText('STOMP')],
    ['four octets a character', octetsOfText('🙂')],
    ['a stray continuation', [0x80]],
    ['half a character', [0xe2, 0x82]],
    ['a surrogate', [0xed, 0xa0, 0x80]],
    ['an overlong form', [0xc0, 0xaf]],
    ['beyond U+10FFFF', [0xf4, 0x90, 0x80, 0x80]],
  ] as const
).flatMap(([what, payload]) =>
  [1, 2].flatMap((opcode) =>
    [0, 1].map((cut) => ({
      name: `${what}, opcode ${opcode}${cut === 0 ? '' : ', cut after an octet'}`,
      frames:
        cut === 0
          ? [frame({ opcode, payload: Uint8Array.from(payload) })]
          : [
              frame({ opcode, fin: false, payload: Uint8Array.from(payload.slice(0, 1)) }),
              frame({ opcode: 0, payload: Uint8Array.from(payload.slice(1)) }),
            ],
    })),
  ),
);

const CASES = [...heads, ...lengths, ...announced, ...sums, ...parts, ...codes, ...texts];

test('there are many cases', () => expect(CASES.length).toBeGreaterThan(700));

describe.each(PEERS)('what a %s says', (peer) => {
  /** As this peer writes it: what is masked where a client speaks is not where a server does. */
  const written = (each: RawFrame): RawFrame => ({ ...each, masked: each.masked === (peer === 'client') });

  test.each(CASES)('$name', ({ frames }) => {
    const [expected, whole] = [expectedOf(frames, MODEL), messagesOf(frames)];
    const said = Buffer.concat(frames.map((each) => octetsOf(written(each), MASK)));
    for (const chunks of cuttings(said)) {
      const saw = read(chunks, { peer, maxMessageBytes: MAX_BYTES, maxParts: MAX_PARTS, checksText: true });
      if (expected.kind === 'closed') expect(expected.codes).toContain(saw.end?.code);
      else expect(saw.end).toBeUndefined();
      expect(saw.messages).toEqual(whole);
    }
  });
});

/** The messages that are whole before the frame that ends it all; the model says which one that is. */
function messagesOf(frames: readonly RawFrame[]): Saw['messages'] {
  const messages: { bytes: Buffer; binary: boolean }[] = [];
  let open: { opcode: number; payload: Uint8Array[] } | undefined;
  for (const [index, { opcode, payload, fin }] of frames.entries()) {
    const sofar = expectedOf(frames.slice(0, index + 1), MODEL);
    if (sofar.kind === 'closed' || sofar.inFrame) break;
    if (opcode > 2) continue;
    open ??= { opcode, payload: [] };
    open.payload.push(payload);
    if (!fin) continue;
    messages.push({ bytes: Buffer.concat(open.payload), binary: open.opcode === 2 });
    open = undefined;
  }
  return messages;
}

function octets(length: number): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => 97 + (i % 26));
}

function octetsOfText(text: string): readonly number[] {
  return [...new TextEncoder().encode(text)];
}
