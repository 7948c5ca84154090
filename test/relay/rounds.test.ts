/** Everybody has a turn in time, whoever comes and goes. */
import { describe, expect, test } from 'vitest';
import { Rounds, TURNS } from '../../proxy/relay/rounds.ts';

const members = (count: number) => new Map(Array.from({ length: count }, (_, i) => [i, i]));

describe('a round', () => {
  test.each([0, 1, TURNS - 1, TURNS, TURNS + 1, 10 * TURNS, 1000])('of %i has each of them once', (count) => {
    const rounds = new Rounds(members(count));
    const turns = Array.from({ length: TURNS }, () => rounds.next());
    expect(turns.flat()).toEqual([...members(count).keys()]);
    expect(Math.max(...turns.map((turn) => turn.length))).toBe(Math.ceil(count / TURNS));
  });

  test.each([1, TURNS + 1, 3 * TURNS])('of %i begins anew when it has ended, and not before', (count) => {
    const rounds = new Rounds(members(count));
    const twice = Array.from({ length: 2 * TURNS }, () => rounds.next());
    const all = [...members(count).keys()];
    expect(twice.flat()).toEqual([...all, ...all]);
    expect(twice.slice(0, TURNS).flat()).toEqual(all);
  });

  test.each([
    ['as many come as there are', (all: Map<number, number>) => all.set(10_000 + all.size, 10_000 + all.size)],
    [
      'most of those go who had their turn',
      (all: Map<number, number>, turn: number[]) => turn.forEach((one) => void all.delete(one)),
    ],
  ])('is over in time while %s', (_, change) => {
    const all = members(20 * TURNS);
    const rounds = new Rounds(all);
    const seen = new Set<number>();
    for (let turn = 0; turn < TURNS; turn++) {
      const now = rounds.next();
      for (const one of now) {
        seen.add(one);
        change(all, now);
      }
    }
    expect([...members(20 * TURNS).keys()].filter((one) => !seen.has(one))).toEqual([]);
  });

  test('does not come to those who have gone', () => {
    const all = members(2 * TURNS);
    const rounds = new Rounds(all);
    rounds.next();
    all.delete(5);
    expect(Array.from({ length: TURNS - 1 }, () => rounds.next()).flat()).not.toContain(5);
  });
});
