import { expect, test } from 'vitest';
import { seeded } from '../experiment/random.ts';
import { KINDS, scheduleOf } from './schedule.ts';

test('a seed repeats its schedule, another one has another', () => {
  const steps = scheduleOf(seeded(7), 300_000);
  expect(scheduleOf(seeded(7), 300_000)).toEqual(steps);
  expect(scheduleOf(seeded(8), 300_000)).not.toEqual(steps);
});

test('every kind of fault comes before one comes twice', () => {
  const kinds = scheduleOf(seeded(1), 300_000).map(({ kind }) => kind);
  expect(new Set(kinds.slice(0, KINDS.length)).size).toBe(KINDS.length);
  expect(kinds.length).toBeGreaterThan(40);
});

test('no fault begins too late', () => {
  for (let seed = 0; seed < 50; seed++) {
    for (const { atMs } of scheduleOf(seeded(seed), 20_000)) expect(atMs).toBeLessThan(20_000);
  }
});
