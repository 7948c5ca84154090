import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Delays, STALE_MAX } from '../../proxy/routing/delays.ts';

/** As slow and obviously right as can be. */
class Model {
  readonly waiting: { item: number; atMs: number }[] = [];

  set(item: number, atMs: number): void {
    this.delete(item);
    this.waiting.push({ item, atMs });
  }

  delete(item: number): void {
    const index = this.waiting.findIndex((each) => each.item === item);
    if (index >= 0) this.waiting.splice(index, 1);
  }

  nextMs(): number {
    return Math.min(Number.POSITIVE_INFINITY, ...this.waiting.map(({ atMs }) => atMs));
  }

  takeDue(now: number): number[] {
    const due = this.waiting.filter(({ atMs }) => atMs <= now).sort((one, other) => one.atMs - other.atMs);
    for (const { item } of due) this.delete(item);
    return due.map(({ item }) => item);
  }
}

const item = fc.integer({ min: 0, max: 30 });
const step = fc.oneof(
  {
    weight: 40,
    arbitrary: fc.record({ what: fc.constant('set' as const), item, ms: fc.integer({ min: 0, max: 60 }) }),
  },
  { weight: 20, arbitrary: fc.record({ what: fc.constant('delete' as const), item, ms: fc.constant(0) }) },
  { weight: 1, arbitrary: fc.record({ what: fc.constant('take' as const), item, ms: fc.integer({ min: 0, max: 5 }) }) },
);

test('whatever is awaited and given up, they are told in the order of their moments', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 1_000, size: 'max' }), (steps) => {
      const [delays, model] = [new Delays<number>(), new Model()];
      let now = 0;
      for (const { what, item, ms } of steps) {
        now += what === 'take' ? ms : 0;
        for (const each of [delays, model]) if (what === 'set') each.set(item, now + ms);
        for (const each of [delays, model]) if (what === 'delete') each.delete(item);
        if (what === 'take') expect(delays.takeDue(now)).toEqual(model.takeDue(now));
        expect([delays.size, delays.nextMs()]).toEqual([model.waiting.length, model.nextMs()]);
      }
      expect(delays.takeDue(Number.POSITIVE_INFINITY)).toEqual(model.takeDue(Number.POSITIVE_INFINITY));
    }),
    { numRuns: 100, endOnFailure: true },
  );
});

test.each([
  [STALE_MAX - 1, STALE_MAX - 1],
  [STALE_MAX, STALE_MAX],
  [STALE_MAX + 1, 0],
])('of %i that are not awaited any more %i are kept', (n, kept) => {
  const delays = new Delays<number>();
  for (let i = 0; i < n; i++) delays.set(i, i);
  for (let i = 0; i < n; i++) delays.delete(i);
  expect(delays.kept).toBe(kept);
});
