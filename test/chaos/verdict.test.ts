import { describe, expect, it, test } from 'vitest';
import { Ledger } from '../ledger/ledger.ts';
import { Record, unannounced } from './record.ts';
import { type Rest, slopePerHour } from './rest.ts';
import type { Outcome } from './run.ts';
import {
  broken,
  DESCRIPTORS_SLOPE_MAX,
  HEAP_GROWTH_MAX_MB,
  HEAP_SLOPE_MAX_MB,
  RSS_GROWTH_MAX_MB,
  RSS_SLOPE_MAX_MB,
  SLOPE_FROM_MS,
} from './verdict.ts';

const lane = { user: 'alice', destination: '/queue/news' };

function outcome(change: Partial<Outcome> = {}, tally: Partial<Outcome['tally']> = {}): Outcome {
  return {
    tally: { ...new Ledger().tally(), ...tally },
    ...{
      unannounced: [],
      faults: [],
      late: 0,
      refused: {},
      closes: 0,
      errors: {},
      moves: 0,
      gaps: 0,
      strikes: [],
      skipped: 0,
    },
    ...{ liveAgainMs: {}, dead: 0, unsettled: [], messagesPerSecond: 1, stallMs: 0 },
    ...{ rests: [], peakRssMB: 100 },
    ...change,
  };
}

const HOUR_MS = 3_600_000;

/** Rests half an hour apart. */
function rests(...changes: readonly Partial<Rest>[]): Pick<Outcome, 'rests'> {
  const calm = { heapMB: 100, rssMB: 200, descriptors: 10 };
  return { rests: changes.map((change, index) => ({ atMs: 1e12 + (index * HOUR_MS) / 2, ...calm, ...change })) };
}

describe('the verdict', () => {
  it('has nothing to say of a run that lost what was announced, and no more', () => {
    expect(broken(outcome({ gaps: 5 }, { lost: 3 }), 60_000)).toEqual([]);
  });

  it.each([
    ['2 client closes', outcome({ closes: 2 })],
    ['3 ERROR frames: no', outcome({ errors: { no: 3 } })],
    [
      '1 lost without a word on /holdfast/session',
      outcome({ unannounced: [{ kind: 'lost', ...lane, n: 1, atMs: 0 }] }),
    ],
    ['1 duplicated', outcome({}, { duplicated: 1 })],
    ['1 reordered', outcome({}, { reordered: 1 })],
    ['1 arrived without being sent', outcome({}, { unknown: 1 })],
    ['4 users whose session does not live', outcome({ dead: 4 })],
    ['1 frames held, not 0', outcome({ unsettled: ['1 frames held, not 0'] })],
    [
      `the heap at rest has grown from 100 to ${101 + HEAP_GROWTH_MAX_MB} MB`,
      outcome(rests({}, {}, { heapMB: 101 + HEAP_GROWTH_MAX_MB })),
    ],
    [
      `RSS at rest has grown from 200 to ${201 + RSS_GROWTH_MAX_MB} MB`,
      outcome(rests({}, {}, { rssMB: 201 + RSS_GROWTH_MAX_MB })),
    ],
  ])('names %s', (problem, told) => {
    expect(broken(told, 60_000)).toEqual([problem]);
  });

  it.each([
    [
      'exactly as much as it may',
      outcome(rests({}, {}, { heapMB: 100 + HEAP_GROWTH_MAX_MB, rssMB: 200 + RSS_GROWTH_MAX_MB })),
    ],
    ['in the first half', outcome(rests({ heapMB: 1 }, { heapMB: 100 }, {}))],
    ['and there was one round only', outcome(rests({ heapMB: 1 }, { heapMB: 100 }))],
  ])('has nothing to say when memory grows %s', (_, told) => {
    expect(broken(told, 60_000)).toEqual([]);
  });

  it.each([
    ['MB of heap', HEAP_SLOPE_MAX_MB, (more: number) => ({ heapMB: 100 + more })],
    ['MB of RSS', RSS_SLOPE_MAX_MB, (more: number) => ({ rssMB: 200 + more })],
    ['descriptors', DESCRIPTORS_SLOPE_MAX, (more: number) => ({ descriptors: 10 + more })],
  ])('believes a slope of %s only when it was watched for long', (what, most, rest) => {
    const rising = (perHour: number) => outcome(rests({}, {}, rest(perHour / 2)));
    expect(broken(rising(most + 2), SLOPE_FROM_MS - 1)).toEqual([]);
    expect(broken(rising(most + 2), SLOPE_FROM_MS)).toEqual([`${most + 2} ${what} more an hour`]);
    expect(broken(rising(most), SLOPE_FROM_MS)).toEqual([]);
  });
});

describe('a loss is announced', () => {
  const lost = { kind: 'lost' as const, ...lane, n: 1, atMs: 1000 };
  const gap = { user: 'alice', atMs: 1500, lastedMs: 0, from: 'pod-1', planned: false };
  it.each([
    ['by an unproven move after it', gap, 0],
    ['not by one before it', { ...gap, atMs: 999 }, 1],
    ['not by one of another user', { ...gap, user: 'bob' }, 1],
    ['by one that began soon, however long it lasted', { ...gap, atMs: 9000, lastedMs: 6000 }, 0],
    ['not by one that began much later', { ...gap, atMs: 9001, lastedMs: 6000 }, 1],
    ['not by one that comes much later', { ...gap, atMs: 3001 }, 1],
  ])('%s', (_, told, count) => {
    expect(unannounced([lost], [told], 2000)).toHaveLength(count);
  });
});

test('the record keeps what is unproven, and the probes apart', () => {
  const record = new Record();
  const notice = (continuity: string) =>
    JSON.stringify({ type: 'moved', from: 'pod-1', planned: true, gapMs: 2, continuity });
  record.probes.sent({ user: 'alice', destination: '/queue/probe' }, 1, 0);
  record.add({ type: 'message', user: 'alice', destination: '/queue/probe', n: 1, atMs: 1 });
  record.add({ type: 'notice', user: 'alice', body: notice('proven'), atMs: 2 });
  record.add({ type: 'notice', user: 'alice', body: notice('unproven'), atMs: 3 });
  record.add({ type: 'error', user: 'alice', message: 'no', atMs: 4 });
  record.add({ type: 'closed', user: 'alice', code: 1006, atMs: 5 });
  expect(record.probes.complete && record.ledger.arrivals === 0).toBe(true);
  expect(record).toMatchObject({ moves: 2, closes: 1, errors: new Map([['no', 1]]) });
  expect(record.gaps).toEqual([{ user: 'alice', atMs: 3, lastedMs: 2, from: 'pod-1', planned: true }]);
});

test('what comes after its producer was told that it would not is late, not swapped', () => {
  const record = new Record();
  record.refuse(lane, 6, 'expired');
  const finding = { kind: 'reordered' as const, ...lane, n: 6, atMs: 0 };
  expect([finding, { ...finding, n: 5 }].map((each) => record.isLate(each))).toEqual([true, false]);
  expect(record.refused).toEqual({ expired: 1 });
  expect(broken(outcome({ late: 1 }, { reordered: 1 }), 60_000)).toEqual([]);
  record.nextRound();
  expect(record.isLate(finding)).toBe(false);
});

test('a slope is per hour', () => {
  const { rests: points } = rests(...[0, 1, 2, 3].map((n) => ({ heapMB: 5 + n })));
  expect(slopePerHour(points, ({ heapMB }) => heapMB)).toBeCloseTo(2);
  expect(slopePerHour(points.slice(0, 1), ({ heapMB }) => heapMB)).toBe(0);
});
