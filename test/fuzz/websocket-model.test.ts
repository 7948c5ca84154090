/** The model is the judge of the proxy's WebSocket, so a person must be able to check it: one rule of RFC 6455 a line. */
import { expect, test } from 'vitest';
import { type Expected, expectedOf, octetsOf, type RawFrame, readServer } from './websocket-model.ts';

const LIMITS = { tooLarge: 1000, tooManyParts: 3 };
const frame = (change: Partial<RawFrame> = {}): RawFrame => ({
  ...{ fin: true, reserved: 0, opcode: 1, masked: true, payload: new Uint8Array() },
  ...change,
});
const bytes = (...octets: number[]) => Uint8Array.from(octets);
const start = frame({ fin: false });
const more = frame({ fin: false, opcode: 0 });
const end = frame({ opcode: 0 });
const WAITS: Expected = { kind: 'waits', inFrame: false };
const closed = (...codes: number[]): Expected => ({ kind: 'closed', codes });

const table: [rule: string, frames: RawFrame[], expected: Expected][] = [
  ['a message', [frame()], WAITS],
  ['a message in parts', [start, more, end], WAITS],
  ['a control frame between parts', [start, frame({ opcode: 9 }), end], WAITS],
  ['§5.2 a reserved bit', [frame({ reserved: 4 })], closed(1002)],
  ['§5.2 an unknown opcode', [frame({ opcode: 3 })], closed(1002)],
  ['§5.1 not masked', [frame({ masked: false })], closed(1002)],
  ['§5.4 a part of nothing', [end], closed(1002)],
  ['§5.4 a message in a message', [start, frame()], closed(1002)],
  ['§5.5 a control frame in parts', [frame({ opcode: 9, fin: false })], closed(1002)],
  ['§5.5 a control frame of 125', [frame({ opcode: 9, payload: new Uint8Array(125) })], WAITS],
  ['§5.5 a control frame of 126', [frame({ opcode: 9, payload: new Uint8Array(126) })], closed(1002)],
  ['§5.2 a length of 2^63', [frame({ announced: 2n ** 63n })], closed(1002, 1009)],
  ['a length beyond the limit', [frame({ announced: 1000n })], closed(1009)],
  ['a length that is still to come', [frame({ announced: 999n })], { kind: 'waits', inFrame: true }],
  ['too many parts', [start, more, more, end], closed(1008, 1009)],
  ['§8.1 no UTF-8', [frame({ payload: bytes(0xff) })], closed(1007)],
  ['no UTF-8 in binary', [frame({ opcode: 2, payload: bytes(0xff) })], WAITS],
  [
    '§8.1 a character over two parts',
    [frame({ fin: false, payload: bytes(0xc3) }), frame({ opcode: 0, payload: bytes(0xa9) })],
    WAITS,
  ],
  ['§5.5.1 close without a code', [frame({ opcode: 8 })], closed(1005)],
  ['§5.5.1 close with half a code', [frame({ opcode: 8, payload: bytes(3) })], closed(1002)],
  ['§7.4 close 1000', [frame({ opcode: 8, payload: bytes(3, 232) })], closed(1000)],
  ['§7.4 close 1005', [frame({ opcode: 8, payload: bytes(3, 237) })], closed(1002)],
  ['§7.4 close 4999', [frame({ opcode: 8, payload: bytes(19, 135) })], closed(4999)],
  ['§7.4 close 5000', [frame({ opcode: 8, payload: bytes(19, 136) })], closed(1002)],
  ['§5.5.1 a reason that is no UTF-8', [frame({ opcode: 8, payload: bytes(3, 232, 0xff) })], closed(1007)],
  ['what comes after close', [frame({ opcode: 8 }), frame({ opcode: 3 })], closed(1005)],
];

test.each(table)('%s', (_, frames, expected) => {
  expect(expectedOf(frames, LIMITS)).toEqual(expected);
});

test('octets are those of the examples in §5.7', () => {
  const hello = new TextEncoder().encode('Hello');
  const mask = [0x37, 0xfa, 0x21, 0x3d];
  expect(octetsOf(frame({ payload: hello }), mask).toString('hex')).toBe('818537fa213d7f9f4d5158');
  expect(octetsOf(frame({ payload: hello, masked: false }), mask).toString('hex')).toBe('810548656c6c6f');
  const large = octetsOf(frame({ opcode: 2, masked: false, payload: new Uint8Array(65_536) }), mask);
  expect(large.subarray(0, 10).toString('hex')).toBe('827f0000000000010000');
});

test('what a server says is read back', () => {
  const said = [frame({ payload: bytes(10) }), frame({ opcode: 8, payload: bytes(3, 234) })];
  const octets = Buffer.concat(said.map((each) => octetsOf({ ...each, masked: false }, [])));
  expect(readServer(octets)).toEqual({ opcodes: [1, 8], code: 1002 });
  expect(readServer(octets.subarray(0, 5))).toEqual({ opcodes: [1], code: undefined });
  expect(() => readServer(octetsOf(frame(), [0, 0, 0, 0]))).toThrow('breaks the protocol');
});
