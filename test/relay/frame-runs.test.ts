/** A run is what the reader of frames and the glance find frame by frame, however the octets lie. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FrameRuns } from '../../proxy/relay/frame-runs.ts';
import { DEFAULT_LIMITS } from '../../stomp/index.ts';
import { frameRunsCode } from '../../tools/frame-runs.ts';
import { frame, OPCODE } from '../../websocket/index.ts';
import { frameText } from '../stomp/frame-text.ts';
import { runAgrees } from './run-agrees.ts';

const WINDOW_BYTES = 64 * 1024;
const unbounded = { maxFrameBytes: Infinity, maxHeaderBytes: Infinity, maxHeaders: Infinity };

const framed = (text: string | Uint8Array) => Buffer.from(frame(OPCODE.text, Buffer.from(text), false));
const runOf = (octets: Uint8Array, from = 0, limits: object = DEFAULT_LIMITS) => runAgrees(octets, from, limits);

test('frame-runs-code.ts is current; tools/frame-runs.ts writes it', async () => {
  const file = new URL('../../proxy/relay/frame-runs-code.ts', import.meta.url);
  expect(readFileSync(file, 'utf8')).toBe(await frameRunsCode());
});

describe('a run', () => {
  const plain = framed('MESSAGE\na:b\n\nbody\0');

  test('is all plain messages one behind the other', () => {
    const three = Buffer.concat([plain, framed('MESSAGE\ncontent-length:3\n\na\0b\0\n\r\n'), plain]);
    expect(runOf(three)).toEqual({ end: three.length, frames: 3 });
    expect(runOf(three, plain.length)).toEqual({ end: three.length, frames: 2 });
    expect(runOf(three, three.length)).toEqual({ end: three.length, frames: 0 });
  });

  test.each([
    ['a message with a mark', framed('MESSAGE\nholdfast-id:1\n\n\0')],
    ['a name that begins like a mark', framed('MESSAGE\nhow:1\n\n\0')],
    ['another command', framed('RECEIPT\nreceipt-id:1\n\n\0')],
    ['a heart-beat', framed('\n')],
    ['a ping', Buffer.from(frame(OPCODE.ping, Buffer.from('MESSAGE\n\n\0'), false))],
    ['a close frame', Buffer.from([0x88, 2, 3, 232])],
    ['the first part of a message', Buffer.from([OPCODE.text, ...plain.subarray(1)])],
    ['the last part of a message', Buffer.from([0x80, ...plain.subarray(1)])],
    ['a reserved bit', Buffer.from([0xc1, ...plain.subarray(1)])],
    ['a mask', Buffer.from(frame(OPCODE.text, Buffer.from('MESSAGE\na:b\n\nbody\0'), true))],
    ['a frame that is not whole', plain.subarray(0, -1)],
    ['the first octet of a frame', plain.subarray(0, 1)],
    ['a length of 64 bits', Buffer.from([0x81, 127, 0, 0, 0, 0, 0, 0, 0, 10, ...Buffer.from('MESSAGE\n\n\0')])],
    [
      'a length of 64 bits that reads like a message',
      Buffer.concat([Buffer.from([0x81, 127]), Buffer.from('MESSAGE\n\n\0'.padEnd(127, '\n'))]),
    ],
    ['a blank before a name', framed('MESSAGE\n a:b\n\n\0')],
    ['a tab before a name', framed('MESSAGE\n\ta:b\n\n\0')],
    ['a blank behind a name', framed('MESSAGE\na :b\n\n\0')],
    ['a tab behind a name', framed('MESSAGE\na\t:b\n\n\0')],
    ['no name', framed('MESSAGE\n:b\n\n\0')],
    ['no colon', framed('MESSAGE\nab\n\n\0')],
    ['a length without digits', framed('MESSAGE\ncontent-length:\n\n\0')],
    ['a length with more than digits', framed('MESSAGE\ncontent-length:4x\n\nbody\0')],
    ['a length that is wrong', framed('MESSAGE\ncontent-length:3\n\nbody\0')],
    ['a length that is not here', framed('MESSAGE\ncontent-length:5\n\nbody\0')],
    ['two lengths', framed('MESSAGE\ncontent-length:4\ncontent-length:4\n\nbody\0')],
    ['two STOMP frames in one', framed('MESSAGE\n\n\0MESSAGE\n\n\0')],
  ])('ends before %s', (_, other) => {
    const octets = Buffer.concat([plain, plain, other, plain]);
    const end = 2 * plain.length;
    expect(runOf(octets)).toMatchObject({ end });
  });

  test.each([
    ['no headers and no body', 'MESSAGE\n\n\0'],
    ['a name that begins like content-length', 'MESSAGE\ncontent-lengths:9\n\n\0'],
    ['another name with a c', 'MESSAGE\nc:1\n\n\0'],
    ['a value with colons and blanks', 'MESSAGE\na: b:c \n\n\0'],
    ['octets that are no ASCII', 'MESSAGE\né:é\n\né\0'],
  ])('takes %s', (_, text) => expect(runOf(framed(text)).frames).toBe(1));

  test('takes binary messages, and a length that could be said shorter', () => {
    const binary = Buffer.from(frame(OPCODE.binary, Buffer.from('MESSAGE\n\n\0'), false));
    const long = Buffer.from([0x81, 126, 0, 10, ...Buffer.from('MESSAGE\n\n\0')]);
    expect(runOf(Buffer.concat([binary, long])).frames).toBe(2);
  });

  test('ends wherever a header or a body does not, at any place of the octets that are looked at together', () => {
    for (let length = 1; length <= 40; length++) {
      const filled = 'x'.repeat(length);
      for (const text of [`MESSAGE\n${filled}:b\n\n\0`, `MESSAGE\na:${filled}\n\n\0`, `MESSAGE\na:b\n\n${filled}\0`]) {
        expect(runOf(framed(text)).frames).toBe(1);
        const at = text.indexOf(filled);
        for (const wrong of '\0\r\\')
          for (let i = at; i < at + length; i++) {
            const changed = `${text.slice(0, i)}${wrong}${text.slice(i + 1)}`;
            runOf(framed(changed));
          }
      }
    }
  });

  test('is not ended by what lay behind the octets before', () => {
    const runs = new FrameRuns(DEFAULT_LIMITS, []);
    const open = 'MESSAGE\na:b\n\nbody';
    const before = framed(`${open}\0`);
    expect(runs.endOf(before, 0, before.length)).toBe(before.length);
    // As long as is said, and its NUL is where no octet of it is.
    const length = open.length;
    const now = Buffer.concat([Buffer.from([0x81, length]), Buffer.from(open)]);
    expect([now.length, runs.endOf(now, 0, now.length)]).toEqual([before.length - 1, 0]);
    for (const cut of [8, 11, 12, 13]) {
      expect(runs.endOf(before, 0, before.length)).toBe(before.length);
      const part = Buffer.concat([Buffer.from([0x81, cut]), Buffer.from(open.slice(0, cut))]);
      expect(runs.endOf(part, 0, part.length)).toBe(0);
    }
  });

  test('knows nothing of the octets that were asked about before', () => {
    const runs = new FrameRuns(DEFAULT_LIMITS, []);
    const two = Buffer.concat([plain, plain]);
    expect([runs.endOf(two, 0, two.length), runs.frames]).toEqual([two.length, 2]);
    const other = framed('ERROR\n\n\0');
    expect(runs.endOf(other, 0, other.length)).toBe(0);
    expect([runs.endOf(plain, 0, plain.length), runs.frames]).toEqual([plain.length, 1]);
  });

  test('knows nothing of what lay in lent octets before, nor of what lies behind their end', () => {
    const runs = new FrameRuns(DEFAULT_LIMITS, []);
    const lent = Buffer.concat([plain, plain, plain]);
    expect([runs.endOf(lent, 0, lent.length), runs.frames]).toEqual([lent.length, 3]);
    expect([runs.endOf(lent, 0, 2 * plain.length), runs.frames]).toEqual([2 * plain.length, 2]);
    expect([runs.endOf(lent, 0, 2 * plain.length - 1), runs.frames]).toEqual([plain.length, 1]);
    framed('MESSAGE\na:b\n\nbo\0').copy(lent);
    expect([runs.endOf(lent, 0, plain.length - 2), runs.frames]).toEqual([plain.length - 2, 1]);
    framed('MASSAGE\n').copy(lent);
    expect(runs.endOf(lent, 0, lent.length)).toBe(0);
  });
});

describe.each([-1, 0, 1])('a bound and %i', (more) => {
  const text = 'MESSAGE\na:b\nc:d\n\nbody\0';
  const frames = more >= 0 ? 1 : 0;

  test.each([
    ['octets of a frame', { maxFrameBytes: text.length + more }],
    ['octets of headers', { maxHeaderBytes: 8 + more }],
    ['headers', { maxHeaders: 2 + more }],
  ])('of %s', (_, limits) => expect(runOf(framed(text), 0, limits).frames).toBe(frames));

  test('of octets at one time', () => {
    const runs = new FrameRuns(unbounded, []);
    const head = 'MESSAGE\na:b\n\n';
    const whole = framed(`${head}${'x'.repeat(WINDOW_BYTES - more - 4 - head.length - 1)}\0`);
    expect(whole.length).toBe(WINDOW_BYTES - more);
    expect(runs.endOf(whole, 0, whole.length)).toBe(more >= 0 ? whole.length : 0);
  });

  test('of digits of a length', () => {
    const digits = '3'.padStart(9 - more, '0');
    expect(runOf(framed(`MESSAGE\ncontent-length:${digits}\n\na\0b\0`)).frames).toBe(frames);
  });
});

const plainText = fc
  .array(fc.constantFrom('a:b\n', 'é:\n', 'subscription:s 1\n', 'content-type:text/plain\n'), { maxLength: 3 })
  .map((headers) => `MESSAGE\n${headers.join('')}\nbody\0`);

/** Mostly messages, in any form of a frame, and the last of them cut anywhere. */
const said = fc.record({
  text: fc.oneof({ weight: 2, arbitrary: plainText }, { weight: 1, arbitrary: frameText }),
  first: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(0x81, 0x82) },
    { weight: 1, arbitrary: fc.constantFrom(0x01, 0x80, 0x89, 0x8a, 0xc1) },
  ),
  form: fc.constantFrom(7, 7, 7, 16, 64),
});
const stream = fc
  .record({
    all: fc.array(said, { minLength: 1, maxLength: 6 }),
    before: fc.nat(20),
    cut: fc.oneof(fc.constant(0), fc.nat(30)),
  })
  .map(({ all, before, cut }) => {
    const frames = all.map(({ text, first, form }) => {
      const payload = Buffer.from(text);
      const length = payload.length;
      const head =
        form === 7 && length < 126 ? [length] : form === 64 ? [127, 0, 0, 0, 0, 0, 0, 0, length] : [126, 0, length];
      return Buffer.from([first, ...head, ...payload]);
    });
    const octets = Buffer.concat([Buffer.alloc(before, 0x81), ...frames]);
    return { octets: octets.subarray(0, Math.max(before, octets.length - cut)), from: before };
  });

test('it is what the reader and the glance find, for anything that a pod may say', () => {
  let found = 0;
  fc.assert(
    fc.property(
      stream,
      fc.constantFrom(DEFAULT_LIMITS, { maxFrameBytes: 40, maxHeaderBytes: 16, maxHeaders: 2 }),
      ({ octets, from }, limits) => {
        found += runOf(octets, from, limits).frames;
      },
    ),
    { numRuns: 20_000 },
  );
  expect(found).toBeGreaterThan(10_000);
});
