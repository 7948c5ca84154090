import { describe, expect, test } from 'vitest';
import { candidates } from '../../producer/candidates.ts';
import { type RingSnapshot, snapshotOf } from '../../producer/ring-source.ts';
import { SUSPECT_MS, Suspects } from '../../producer/suspects.ts';
import { Ring } from '../../ring/index.ts';

const USERS = Array.from({ length: 50 }, (_, i) => `user-${i}`);

function rings(committed: string[], target: string[]): RingSnapshot {
  return { committed: Ring.of(committed), target: Ring.of(target), podOf: (name) => ({ name, address: `${name}:1` }) };
}

describe('candidates', () => {
  test('at rest they are the walk from the owner', () => {
    const snapshot = snapshotOf(['a', 'b', 'c', 'd', 'e'].map((name) => ({ name, address: `${name}:1` })));
    for (const user of USERS) expect(candidates(snapshot, user, 3)).toEqual(snapshot.committed.owners(user, 3));
  });

  test('while sessions move: committed owner, target owner, then the rest of both walks, each once', () => {
    const snapshot = rings(['a', 'b', 'c'], ['b', 'c', 'd', 'e']);
    for (const user of USERS) {
      const keys = candidates(snapshot, user, 4);
      const { committed, target } = snapshot;
      const heads = [...new Set([committed.owner(user), target.owner(user)])];
      expect(keys.slice(0, heads.length)).toEqual(heads);
      expect(keys.toSorted()).toEqual(['a', 'b', 'c', 'd', 'e']);
      const restOfCommitted = committed.owners(user, 4).filter((key) => !heads.includes(key));
      expect(keys.slice(heads.length, heads.length + restOfCommitted.length)).toEqual(restOfCommitted);
    }
  });

  test('the pod that is known to have the session comes first, in the ring or not', () => {
    const snapshot = rings(['a', 'b', 'c'], ['a', 'b', 'c']);
    for (const user of USERS) {
      expect(candidates(snapshot, user, 3, 'x')[0]).toBe('x');
      const keys = candidates(snapshot, user, 3, 'b');
      expect([keys[0], keys.length]).toEqual(['b', 3]);
    }
  });

  test.each([
    [1, 1],
    [2, 2],
    [3, 3],
    [4, 3],
  ])('a walk of at most %i over three pods gives %i', (maxWalk, count) => {
    expect(candidates(rings(['a', 'b', 'c'], ['a', 'b', 'c']), 'alice', maxWalk)).toHaveLength(count);
  });

  test('a ring without pods has none', () => {
    expect(candidates(rings([], []), 'alice', 4)).toEqual([]);
    expect(candidates(rings([], ['a']), 'alice', 4)).toEqual(['a']);
  });
});

describe('suspects', () => {
  test('come last for a while, in their order', () => {
    const suspects = new Suspects();
    suspects.failed('a', 0);
    suspects.failed('c', 100);
    expect(suspects.last(['a', 'b', 'c', 'd'], 100)).toEqual(['b', 'd', 'a', 'c']);
    expect(suspects.last(['a', 'b', 'c', 'd'], SUSPECT_MS)).toEqual(['a', 'b', 'd', 'c']);
    expect(suspects.last(['a', 'b', 'c', 'd'], SUSPECT_MS + 100)).toEqual(['a', 'b', 'c', 'd']);
  });

  test('are so no longer once they answer', () => {
    const suspects = new Suspects();
    suspects.failed('a', 0);
    suspects.answered('a');
    expect(suspects.last(['a', 'b'], 1)).toEqual(['a', 'b']);
  });
});
