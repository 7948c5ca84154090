import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { EventStream } from '../../producer/sse.ts';

const read = (text: string, max = 1000) => new EventStream(max).push(Buffer.from(text));

describe('an event stream', () => {
  test.each([
    ['LF', 'event: ring\ndata: 1\n\n'],
    ['CRLF', 'event: ring\r\ndata: 1\r\n\r\n'],
    ['CR', 'event: ring\rdata: 1\r\r'],
    ['no blank after the colon', 'event:ring\ndata:1\n\n'],
    ['comments and fields it does not know', ': hello\nid: 7\nretry: 1\nevent: ring\n: beat\ndata: 1\n\n'],
  ])('is read with %s', (_, text) => expect(read(text)).toEqual([{ event: 'ring', data: '1' }]));

  test('data lines are joined, an event without data is none, and names do not last', () => {
    expect(read('event: a\n\ndata: 1\ndata\ndata: 2\n\n')).toEqual([{ event: 'message', data: '1\n\n2' }]);
  });

  test('is the same however it is cut', () => {
    const text = Buffer.from(': beat\r\n\r\nevent: ring\r\ndata: {"ä":\rdata: "漢"}\n\nevent: b\ndata: 2\n\n');
    const whole = new EventStream(1000).push(text);
    expect(whole).toHaveLength(2);
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: text.length })), (cuts) => {
        const stream = new EventStream(1000);
        const edges = [0, ...cuts.toSorted((a, b) => a - b), text.length];
        expect(edges.slice(1).flatMap((to, i) => stream.push(text.subarray(edges[i], to)))).toEqual(whole);
      }),
    );
  });

  test.each([
    [9, true],
    [10, true],
    [11, false],
  ])('data of %i characters fit into 10: %s', (length, fits) => {
    const half = Math.floor(length / 2);
    const text = `data:${'x'.repeat(half)}\ndata:${'x'.repeat(length - half)}\n\n`;
    if (fits) expect(read(text, 10)).toHaveLength(1);
    else expect(() => read(text, 10)).toThrow(RangeError);
  });

  test('a line that does not end is bounded too', () => {
    const stream = new EventStream(10);
    stream.push(Buffer.from('123456'));
    stream.push(Buffer.from('7890'));
    expect(() => stream.push(Buffer.from('1'))).toThrow(RangeError);
  });
});
