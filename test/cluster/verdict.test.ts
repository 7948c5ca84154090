import { describe, expect, it } from 'vitest';
import { Ledger } from '../ledger/ledger.ts';
import { type Outcome, percentiles } from './run.ts';
import { scenarios } from './scenarios.ts';
import { broken } from './verdict.ts';

const none = { p50: 0, p99: 0, max: 0 };
const good: Outcome = {
  ...{ tally: new Ledger().tally(), findings: [], closes: 0, errors: {}, unannounced: 0, late: 0, movesPerUser: 1 },
  ...{ gapMs: none, delayMs: none, homeMs: 0, scenarioMs: 0, stallMs: 0, warnings: [] },
};
const rollout = scenarios['rollout-surge-1'];

function withTally(change: Partial<Outcome['tally']>): Outcome {
  return { ...good, tally: { ...good.tally, ...change } };
}

describe('what breaks the promise of a rollout', () => {
  it('nothing', () => {
    expect(broken(good, rollout)).toEqual([]);
  });

  it.each<[string, Outcome]>([
    ['1 client closes', { ...good, closes: 1 }],
    ['2 ERROR frames: gone', { ...good, errors: { gone: 2 } }],
    ['1 lost', withTally({ lost: 1 })],
    ['1 duplicated', withTally({ duplicated: 1 })],
    ['1 reordered', withTally({ reordered: 1 })],
    ['1 arrived without being sent', withTally({ unknown: 1 })],
    ['1 refused', withTally({ refused: 1 })],
  ])('%s', (problem, outcome) => {
    expect(broken(outcome, rollout)).toEqual([problem]);
  });
});

it('forgives what a dead container held, if its users were told', () => {
  const lost = withTally({ lost: 1 });
  expect(broken(lost, scenarios.crash)).toEqual([]);
  expect(broken({ ...lost, unannounced: 1 }, scenarios.crash)).toEqual(['1 lost without a word on /holdfast/session']);
});

it('forgives what was refused while there was no pod, and the order of what its producer had given up', () => {
  expect(broken(withTally({ refused: 3 }), scenarios['all-gone'])).toEqual([]);
  expect(broken({ ...withTally({ reordered: 1 }), late: 1 }, rollout)).toEqual([]);
});

it.each([
  [[], none],
  [[7], { p50: 7, p99: 7, max: 7 }],
  [[3, 1, 2, 4], { p50: 2, p99: 4, max: 4 }],
  [Array.from({ length: 200 }, (_, index) => 200 - index), { p50: 100, p99: 198, max: 200 }],
])('percentiles by nearest rank', (values, expected) => {
  expect(percentiles(values)).toEqual(expected);
});
