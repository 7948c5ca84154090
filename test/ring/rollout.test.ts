/**
 * How often a user moves in one rollout, by the ring alone: what a strategy costs when every change of the pods becomes one change of
 * the ring. docs/KUBERNETES.md has the figures.
 */
import { describe, expect, test } from 'vitest';
import { Ring } from '../../ring/index.ts';

const USERS = Array.from({ length: 4_000 }, (_, n) => `user-${n}`);

const named = (prefix: string, count: number) => Array.from({ length: count }, (_, n) => `${prefix}-${n}`);

/** The sets of pods on the ring, one after the other, with which `count` pods are replaced. */
const strategies = {
  /** A new pod joins, an old one leaves, and so on. */
  'surge 1': (count: number) => {
    const [old, fresh] = [named('old', count), named('new', count)];
    return fresh.flatMap((_, n) => [
      [...old.slice(n), ...fresh.slice(0, n + 1)],
      [...old.slice(n + 1), ...fresh.slice(0, n + 1)],
    ]);
  },
  /** All new pods join as one change (topology.admit-after), then the old ones leave one by one. */
  'surge 100 %, joined': (count: number) => {
    const [old, fresh] = [named('old', count), named('new', count)];
    return [[...old, ...fresh], ...old.map((_, n) => [...old.slice(n + 1), ...fresh])];
  },
  /** The same when the old ones leave together. */
  'surge 100 %, joined, left together': (count: number) => {
    const [old, fresh] = [named('old', count), named('new', count)];
    return [[...old, ...fresh], fresh];
  },
  /** A pod leaves and comes back under its name, the next one follows. */
  StatefulSet: (count: number) => {
    const all = named('old', count);
    return all.flatMap((name) => [all.filter((other) => other !== name), all]);
  },
};

function movesPerUser(strategy: keyof typeof strategies, count: number): number {
  const rings = [named('old', count), ...strategies[strategy](count)].map((pods) => Ring.of(pods));
  const owners = rings.map((ring) => USERS.map((user) => ring.owner(user)));
  const moves = owners.slice(1).map((after, step) => after.filter((owner, n) => owner !== owners[step]?.[n]).length);
  return moves.reduce((sum, count) => sum + count, 0) / USERS.length;
}

const rounded = (value: number) => Math.round(value * 10) / 10;

describe('moves per user and rollout', () => {
  test.each([
    ['surge 1', [1.5, 1.7, 1.8]],
    ['surge 100 %, joined', [1.1, 1.1, 1.2]],
    ['surge 100 %, joined, left together', [1, 1, 1]],
    ['StatefulSet', [2, 2, 2]],
  ] as const)('%s: %j with 3, 5 and 10 pods', (strategy, expected) => {
    expect([3, 5, 10].map((count) => rounded(movesPerUser(strategy, count)))).toEqual(expected);
  });
});
