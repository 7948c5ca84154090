/** What was said comes out in order, whole, and in as few pieces as it may. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { frame, OPCODE, Outbox } from '../../websocket/index.ts';

const KIB = 1024;
const textFrame = (length: number) => Buffer.from(frame(OPCODE.text, new Uint8Array(length).fill(120), false));

describe('an outbox', () => {
  test('makes one view of frames that came one behind the other', () => {
    const chunk = Buffer.concat([textFrame(10), textFrame(20), textFrame(30)]);
    const outbox = new Outbox(false);
    outbox.pass(chunk, 0, 12);
    outbox.pass(chunk, 12, 34);
    expect(outbox.bytes).toBe(34);
    const [view, ...more] = outbox.take();
    expect([view?.buffer === chunk.buffer, view?.length, more.length]).toEqual([true, 34, 0]);
    expect([outbox.isEmpty, outbox.bytes, outbox.take()]).toEqual([true, 0, []]);
  });

  test('keeps what was said between two of them in its place', () => {
    const chunk = Buffer.concat([textFrame(10), textFrame(20)]);
    const outbox = new Outbox(false);
    outbox.pass(chunk, 0, 12);
    outbox.say(OPCODE.ping, Uint8Array.of(7));
    outbox.pass(chunk, 12, 34);
    expect(outbox.take().map((piece) => Buffer.from(piece))).toEqual([
      Buffer.concat([textFrame(10), frame(OPCODE.ping, Uint8Array.of(7), false), textFrame(20)]),
    ]);
  });

  test.each([-1, 0, 1])('copies up to 16 KiB together, and %i', (more) => {
    const outbox = new Outbox(false);
    const payload = new Uint8Array(8 * KIB - 4);
    outbox.say(OPCODE.text, payload);
    outbox.say(OPCODE.text, new Uint8Array(payload.length + more));
    expect(outbox.take().length).toBe(more > 0 ? 2 : 1);
  });

  test('masks what is its own, and not what passes', () => {
    const outbox = new Outbox(true);
    outbox.say(OPCODE.text, new Uint8Array(64));
    outbox.pass(textFrame(3), 0, 5);
    const all = Buffer.concat(outbox.take());
    expect(all[1]).toBe(0x80 | 64);
    expect(all.subarray(6, 70).every((octet, i) => octet === all[2 + (i % 4)])).toBe(true);
    expect(all.subarray(70)).toEqual(textFrame(3));
  });

  test('says everything in order, whatever is said', () => {
    const said = fc.array(fc.record({ length: fc.constantFrom(0, 1, 125, 126, 20 * KIB), passes: fc.boolean() }));
    fc.assert(
      fc.property(said, (all) => {
        const frames = all.map(({ length }) => textFrame(length));
        const chunk = Buffer.concat(frames);
        const outbox = new Outbox(false);
        let at = 0;
        for (const [i, { length, passes }] of all.entries()) {
          const to = at + (frames[i]?.length ?? 0);
          if (passes) outbox.pass(chunk, at, to);
          else outbox.say(OPCODE.text, chunk.subarray(to - length, to));
          at = to;
        }
        expect(outbox.bytes).toBe(chunk.length);
        expect(Buffer.concat(outbox.take())).toEqual(chunk);
      }),
    );
  });
});
