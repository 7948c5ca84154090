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

describe('frames that may be taken all at once', () => {
  /** @param isTaken of the texts of frames one behind the other */
  function asked(peer: 'client' | 'server', isTaken: (text: string) => boolean) {
    const from: number[] = [];
    const messages: string[] = [];
    const onFrames = (octets: Uint8Array, at: number) => {
      from.push(at);
      let to = at;
      // Frames of one octet of text.
      while (to < octets.length && isTaken(String.fromCharCode(octets[to + 2] as number))) to += 3;
      return to;
    };
    const reader = new FrameReader(
      { peer, maxMessageBytes: 1024, maxParts: 4, checksText: false },
      {
        onFrames,
        onMessage: (bytes) => messages.push(Buffer.from(bytes).toString()),
        ...{ onPing: () => {}, onPong: () => {}, onClose: () => {}, onFault: () => {} },
      },
    );
    return { reader, from, messages };
  }

  test('are asked about behind each that was read, but for the first', () => {
    const { reader, from, messages } = asked('server', (one) => one === 'x');
    reader.push(Buffer.concat(['x', 'x', 'a', 'x', 'x', 'b', 'x'].map((one) => text(one))));
    expect(messages).toEqual(['x', 'a', 'b']);
    expect(from).toEqual([3, 9, 18]);
  });

  test('are asked about behind one that came in parts, and not before its end', () => {
    const { reader, from, messages } = asked('server', (one) => one === 'x');
    const chunk = Buffer.concat([text('a'), text('x')]);
    expect(reader.isBetween).toBe(true);
    reader.push(chunk.subarray(0, 2));
    expect(reader.isBetween).toBe(false);
    reader.push(chunk.subarray(2));
    expect([from, messages, reader.isBetween]).toEqual([[1], ['a'], true]);
  });

  test('are not asked about within a message of several frames', () => {
    const { reader, from, messages } = asked('server', () => true);
    const first = Buffer.from([OPCODE.text, 1, 0x61]);
    const ping = Buffer.from([0x80 | OPCODE.ping, 0]);
    const last = Buffer.from([0x80 | OPCODE.continuation, 1, 0x62]);
    reader.push(Buffer.concat([first, ping]));
    expect(reader.isBetween).toBe(false);
    reader.push(Buffer.concat([ping, last, text('x')]));
    expect([from, messages]).toEqual([[5], ['ab']]);
  });

  test('are not asked about when they are a client’s, or when reading has stopped', () => {
    const client = asked('client', () => true);
    client.reader.push(Buffer.concat([text('a', true), text('b', true)]));
    expect([client.from, client.messages]).toEqual([[], ['a', 'b']]);
    const server = asked('server', () => true);
    server.reader.push(Buffer.concat([text('a'), Buffer.from([0xff]), text('x')]));
    server.reader.stop();
    expect(server.reader.isBetween).toBe(false);
    server.reader.push(text('x'));
    expect(server.messages).toEqual(['a']);
  });
});
