/** Planted faults on virtual time. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Message, Subscription } from '../../backend/broker.ts';
import { type FaultPlan, Faults, NO_FAULTS } from '../../backend/faults.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => vi.useRealTimers());

const body = new Uint8Array();
const messages = (count: number): Message[] =>
  Array.from({ length: count }, (_, i) => ({ destination: `${i + 1}`, headers: [], body }));

interface Run {
  readonly faults: Faults;
  readonly got: string[];
  readonly failed: string[];
  readonly to: Subscription;
  crashes: number;
}

function planted(plan: Partial<FaultPlan>): Run {
  const got: string[] = [];
  const failed: string[] = [];
  const to = {
    subscriber: { fail: (text: string) => void failed.push(text) },
    deliver: (message: Message) => got.push(message.destination) > 0,
  };
  const faults = new Faults({ ...NO_FAULTS, ...plan }, () => {
    run.crashes += 1;
  });
  const run: Run = { faults, got, failed, to, crashes: 0 };
  return run;
}

function handAll(run: Run, count: number): boolean[] {
  return messages(count).map((message) => run.faults.hand(run.to, message));
}

describe('each Nth message', () => {
  test.each([
    ['nothing planted', {}, '1 2 3 4 5 6 7'],
    ['dropEvery 3', { dropEvery: 3 }, '1 2 4 5 7'],
    ['duplicateEvery 3', { duplicateEvery: 3 }, '1 2 3 3 4 5 6 6 7'],
    ['swapEvery 3', { swapEvery: 3 }, '1 2 4 3 5 7 6'],
    ['swapEvery 1', { swapEvery: 1 }, '2 1 4 3 6 5'],
  ])('%s', (_, plan, expected) => {
    const run = planted(plan);
    expect(handAll(run, 7)).toEqual(Array(7).fill(true));
    expect(run.got.join(' ')).toBe(expected);
  });
});

test('a message that waits for a swap goes alone in the end', () => {
  const run = planted({ swapEvery: 2 });
  handAll(run, 2);
  expect(run.got).toEqual(['1']);
  vi.advanceTimersByTime(1000);
  expect(run.got).toEqual(['1', '2']);
});

test('a swap stays within one subscription', () => {
  const run = planted({ swapEvery: 2 });
  const other = planted({});
  const [first, second, third] = messages(3) as [Message, Message, Message];
  run.faults.hand(run.to, first);
  run.faults.hand(run.to, second);
  run.faults.hand(other.to, third);
  expect([run.got, other.got]).toEqual([['1'], ['3']]);
});

test('crashAfter counts delivered messages, and happens once', () => {
  const run = planted({ crashAfter: 3, dropEvery: 2 });
  handAll(run, 4);
  expect(run.crashes).toBe(0);
  handAll(run, 4);
  expect([run.crashes, run.got.length]).toEqual([1, 4]);
});

test('sendErrorAfter counts per subscriber', () => {
  const run = planted({ sendErrorAfter: 2 });
  handAll(run, 1);
  expect(run.failed).toEqual([]);
  handAll(run, 1);
  expect(run.failed).toEqual(['planted error']);
});

describe('delay', () => {
  test('runs at once without one', () => {
    const { faults, got } = planted({});
    faults.later(() => got.push('x'));
    expect(got).toEqual(['x']);
  });

  test('keeps the order, also when the plan changes while something waits', () => {
    const { faults, got } = planted({ delayMs: 100 });
    faults.later(() => got.push('1'));
    vi.advanceTimersByTime(60);
    faults.plan.delayMs = 0;
    faults.later(() => got.push('2'));
    expect(got).toEqual([]);
    vi.advanceTimersByTime(39);
    expect(got).toEqual([]);
    vi.advanceTimersByTime(2);
    expect(got).toEqual(['1', '2']);
  });

  test('with 10,000 waiting the oldest goes early', () => {
    const { faults, got } = planted({ delayMs: 1000 });
    for (let i = 1; i <= 10_000; i++) faults.later(() => got.push(`${i}`));
    expect(got).toEqual([]);
    faults.later(() => got.push('last'));
    expect(got).toEqual(['1']);
    vi.advanceTimersByTime(1000);
    expect(got.length).toBe(10_001);
  });

  test('flush does at once what waits, discard never does it', () => {
    for (const end of ['flush', 'discard'] as const) {
      const run = planted({ delayMs: 100, swapEvery: 1 });
      run.faults.later(() => run.got.push('delayed'));
      handAll(run, 1);
      run.faults[end]();
      vi.advanceTimersByTime(10_000);
      expect(run.got).toEqual(end === 'flush' ? ['delayed', '1'] : []);
    }
  });
});
