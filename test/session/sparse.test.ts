/** They are a Map and a Set, but for what they cost. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { SparseMap, SparseSet } from '../../proxy/session/sparse.ts';

const step = fc.record({ key: fc.integer({ min: 0, max: 3 }), how: fc.constantFrom('add', 'delete', 'look') });
const steps = fc.array(step, { maxLength: 12 });

test('a sparse map answers as a map, from its first question on', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const [model, sparse] = [new Map<number, number>(), new SparseMap<number, number>()];
      for (const [value, { key, how }] of all.entries()) {
        if (how === 'add') {
          model.set(key, value);
          sparse.set(key, value);
        } else if (how === 'delete') expect(sparse.delete(key)).toBe(model.delete(key));
        expect([sparse.has(key), sparse.get(key), sparse.size]).toEqual([model.has(key), model.get(key), model.size]);
        expect([[...sparse], [...sparse.keys()], [...sparse.values()]]).toEqual([
          [...model],
          [...model.keys()],
          [...model.values()],
        ]);
      }
    }),
  );
});

test('a sparse set answers as a set, from its first question on', () => {
  fc.assert(
    fc.property(steps, (all) => {
      const [model, sparse] = [new Set<number>(), new SparseSet<number>()];
      for (const { key, how } of all) {
        if (how === 'add') {
          model.add(key);
          sparse.add(key);
        } else if (how === 'delete') expect(sparse.delete(key)).toBe(model.delete(key));
        expect([sparse.has(key), sparse.size, [...sparse]]).toEqual([model.has(key), model.size, [...model]]);
      }
    }),
  );
});

test('what is put in while it is walked through is walked through too, and what is taken out is not', () => {
  const sparse = new SparseMap<number, number>();
  for (const key of [1, 2, 3]) sparse.set(key, key);
  const seen: number[] = [];
  for (const key of sparse.keys()) {
    seen.push(key);
    if (key === 1) sparse.delete(2);
    if (key === 1) sparse.set(4, 4);
  }
  expect(seen).toEqual([1, 3, 4]);
});
