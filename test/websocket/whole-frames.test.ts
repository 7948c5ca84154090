/** Messages in one frame are shown as they stand on the wire, and are messages like any others where nobody takes them. */
import { describe, expect, test } from 'vitest';
import { FrameReader, frame, OPCODE, remask, type WholeFrame } from '../../websocket/index.ts';

const text = (words: string, isMasked = false) => Buffer.from(frame(OPCODE.text, Buffer.from(words), isMasked));

function reading(peer: 'client' | 'server', takes: (frame: WholeFrame) => boolean) {
  const shown: WholeFrame[] = [];
  const messages: string[] = [];
  const faults: string[] = [];
  const reader = new FrameReader(
    { peer, maxMessageBytes: 1024, maxParts: 4, checksText: peer === 'client' },
    {
      onFrame: (whole) => {
        shown.push(whole);
        return takes(whole);
      },
      onMessage: (bytes) => messages.push(Buffer.from(bytes).toString()),
      onPing: () => {},
      onPong: () => {},
      onClose: () => {},
      onFault: ({ rule }) => faults.push(rule),
    },
  );
  return { reader, shown, messages, faults };
}

const payloadOf = ({ octets, payloadAt, to }: WholeFrame) => Buffer.from(octets.subarray(payloadAt, to)).toString();

describe('a message in one frame', () => {
  test('that is taken is no message', () => {
    const { reader, shown, messages } = reading('server', (whole) => payloadOf(whole) !== 'b');
    const chunk = Buffer.concat([text('a'), text('b'), text('c')]);
    reader.push(chunk);
    expect(shown.map(({ from, to }) => chunk.subarray(from, to))).toEqual([text('a'), text('b'), text('c')]);
    expect(messages).toEqual(['b']);
  });

  test('of a client is shown without its mask, and comes out as it went in', () => {
    const chunk = text('masked', true);
    const before = Buffer.from(chunk);
    const { reader, shown } = reading('client', () => true);
    reader.push(chunk);
    const [whole] = shown as [WholeFrame];
    expect(payloadOf(whole)).toBe('masked');
    remask(whole);
    expect(chunk).toEqual(before);
  });

  test('is not shown when it is no text', () => {
    const { reader, shown, faults } = reading('client', () => true);
    reader.push(Buffer.from(frame(OPCODE.text, Uint8Array.of(0xff), true)));
    expect([shown.length, faults]).toEqual([0, ['text']]);
  });

  test('is not shown when it comes in parts: its octets are nowhere as one', () => {
    const { reader, shown, messages } = reading('server', () => true);
    const chunk = text('in two reads');
    reader.push(Buffer.from(chunk.subarray(0, 5)));
    reader.push(Buffer.from(chunk.subarray(5)));
    const inTwoFrames = Buffer.concat([text('in two '), text('frames')]);
    inTwoFrames[0] = OPCODE.text;
    inTwoFrames[9] = 0x80 | OPCODE.continuation;
    reader.push(inTwoFrames);
    expect([shown.length, messages]).toEqual([0, ['in two reads', 'in two frames']]);
  });
});
