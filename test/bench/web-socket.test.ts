import fc from 'fast-check';
import { expect, test } from 'vitest';
import { kindAt, message, numberAt, send, timeAt, userAt } from '../../bench/load/numbered.ts';
import { frame, OPCODE, Splitter } from '../../bench/load/web-socket.ts';

interface Found {
  readonly opcode: number;
  readonly payload: string;
}

function split(chunks: readonly Uint8Array[]): Found[] {
  const found: Found[] = [];
  const splitter = new Splitter((opcode, bytes, from, to) => {
    found.push({ opcode, payload: bytes.toString('latin1', from, to) });
  });
  // The caller may use its memory again, so each chunk is wiped after it.
  for (const chunk of chunks) {
    const own = Buffer.from(chunk);
    splitter.push(own);
    own.fill(0);
  }
  return found;
}

const payloads = fc.array(
  fc.tuple(
    fc.constantFrom(...Object.values(OPCODE)),
    fc.constantFrom(0, 1, 125, 126, 300, 65_535, 65_536).map((size) => Buffer.alloc(size, 'x')),
    fc.boolean(),
  ),
  { maxLength: 6 },
);

test('frames are found wherever the reads cut them', () => {
  fc.assert(
    fc.property(payloads, fc.array(fc.nat(), { maxLength: 8 }), (frames, cuts) => {
      const bytes = Buffer.concat(frames.map(([opcode, payload, masked]) => frame(opcode, payload, masked)));
      const at = [0, ...cuts.map((cut) => cut % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
      const chunks = at.slice(1).map((to, index) => bytes.subarray(at[index], to));
      const expected = frames.map(([opcode, payload]) => ({ opcode, payload: payload.toString('latin1') }));
      expect(split(chunks)).toEqual(expected);
    }),
    { numRuns: 50 },
  );
});

/** The examples of RFC 6455 section 5.7. */
const MASKED_HELLO = Uint8Array.of(0x81, 0x85, 0x37, 0xfa, 0x21, 0x3d, 0x7f, 0x9f, 0x4d, 0x51, 0x58);
const HELLO = Uint8Array.of(0x81, 0x05, 0x48, 0x65, 0x6c, 0x6c, 0x6f);

test('a mask is taken off', () => {
  expect(split([MASKED_HELLO])).toEqual([{ opcode: OPCODE.text, payload: 'Hello' }]);
});

test('a frame is written as the RFC has it', () => {
  expect(frame(OPCODE.text, Buffer.from('Hello'), false)).toEqual(Buffer.from(HELLO));
});

test.each([
  ['message', message],
  ['send', send],
] as const)('the fields of a %s come back', (_name, shape) => {
  const bytes = Buffer.alloc(shape.bytes + 7);
  shape.write(bytes, 7, 'push', 123_456, 1_234_567_890, 9_007_199_254_740_991);
  let read: unknown;
  const splitter = new Splitter((_opcode, chunk, from, to) => {
    const body = shape.bodyIn(chunk, from, to);
    read = [kindAt(chunk, body), userAt(chunk, body), numberAt(chunk, body), timeAt(chunk, body)];
  });
  splitter.push(bytes.subarray(7));
  expect(read).toEqual(['push', 123_456, 1_234_567_890, 9_007_199_254_740_991]);
});

test('an octet that is changed anywhere outside of the fields is seen', () => {
  const bytes = Buffer.alloc(message.bytes);
  message.write(bytes, 0, 'push', 1, 1, 1);
  const payload = bytes.subarray(4);
  const isWhole = () => message.bodyIn(payload, 0, payload.length) >= 0;
  const unseen: number[] = [];
  for (let at = 0; at < payload.length; at++) {
    payload[at] = (payload[at] ?? 0) ^ 1;
    if (isWhole()) unseen.push(at);
    payload[at] = (payload[at] ?? 0) ^ 1;
  }
  // The number in message-id, and the fields of the body: kind, user, number, time, with the blanks between them.
  expect(unseen.length).toBe(10 + 36);
  expect(isWhole()).toBe(true);
});
