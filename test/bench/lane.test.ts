import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Lane, MISSING_MAX, sumOf } from '../../bench/load/lane.ts';
import { Ledger } from '../ledger/ledger.ts';

const USER = { user: 'u1', destination: '/queue/bench' };

test('a lane judges as the ledger does', () => {
  const arrivals = fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 20 });
  fc.assert(
    fc.property(arrivals, fc.integer({ min: 12, max: 15 }), (numbers, sent) => {
      const ledger = new Ledger();
      for (let n = 1; n <= sent; n++) ledger.sent(USER, n, 0);
      const lane = new Lane();
      for (const n of numbers) {
        ledger.received(USER, n, 0);
        lane.take(n);
      }
      const { lost, duplicated, reordered } = ledger.tally();
      expect(lane.settle(sent)).toEqual({ lost, duplicated, reordered, unknown: 0 });
    }),
  );
});

test('a number that nobody has sent is unknown', () => {
  const lane = new Lane();
  for (const n of [1, 2, 3, 4]) lane.take(n);
  expect(lane.settle(2)).toEqual({ lost: 0, duplicated: 0, reordered: 0, unknown: 2 });
});

test('faults are told once', () => {
  const lane = new Lane();
  lane.take(2);
  expect(lane.settle(3).lost).toBe(2);
  lane.take(4);
  expect(lane.settle(4)).toEqual({ lost: 0, duplicated: 0, reordered: 0, unknown: 0 });
});

test.each([MISSING_MAX - 1, MISSING_MAX, MISSING_MAX + 1])('%i missing numbers are counted', (missing) => {
  const lane = new Lane();
  lane.take(missing + 1);
  expect(lane.holes).toBe(missing);
  expect(lane.settle(missing + 1).lost).toBe(missing);
});

test('faults add up', () => {
  const one = { lost: 1, duplicated: 2, reordered: 3, unknown: 4 };
  expect(sumOf([one, one])).toEqual({ lost: 2, duplicated: 4, reordered: 6, unknown: 8 });
});
