import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LaneBook } from '../../producer/lane-book.ts';

const book = (maxLanes: number) => new LaneBook({ maxLanes, streamPrefix: 'p', absenceProvenAfterMs: 1 });

describe('lane book', () => {
  test('counts from 1 and repeats a number until it is spent', () => {
    const lanes = book(10);
    expect(lanes.use('a').seq).toBe('p-1:1');
    expect(lanes.use('a').seq).toBe('p-1:1');
    lanes.use('a').advance();
    expect(lanes.use('a').seq).toBe('p-1:2');
    expect(lanes.use('b').seq).toBe('p-2:1');
  });

  test.each([
    [2, 'p-1:2'],
    [1, 'p-3:1'],
  ])('with room for %i lanes, a lane used before one other continues as %s', (maxLanes, seq) => {
    const lanes = book(maxLanes);
    lanes.use('a').advance();
    lanes.use('b').advance();
    expect(lanes.use('a').seq).toBe(seq);
    expect(lanes.size).toBe(maxLanes);
  });

  test('forgets the lane that was used longest ago', () => {
    const lanes = book(2);
    lanes.use('a').advance();
    lanes.use('b').advance();
    lanes.use('a');
    lanes.use('c');
    expect(lanes.use('a').seq).toBe('p-1:2');
    expect(lanes.use('b').seq).toBe('p-4:1');
  });

  test('whatever is forgotten, no number is ever spent twice and no stream has a hole', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 4 }), fc.array(fc.constantFrom(...'abcdef')), (maxLanes, uses) => {
        const lanes = book(maxLanes);
        const streams = new Map<string, { owner: string; last: number }>();
        for (const key of uses) {
          const lane = lanes.use(key);
          const [stream = '', n] = lane.seq.split(':');
          const before = streams.get(stream) ?? { owner: key, last: 0 };
          expect({ owner: key, n: Number(n) }).toEqual({ owner: before.owner, n: before.last + 1 });
          streams.set(stream, { owner: key, last: Number(n) });
          lane.advance();
        }
      }),
    );
  });

  test('a stream must not contain the colon that ends it', () => {
    expect(() => new LaneBook({ maxLanes: 1, streamPrefix: 'a:b', absenceProvenAfterMs: 1 })).toThrow(RangeError);
  });
});
