/** Everybody has a turn in time, whoever comes and goes. */
import { describe, expect, test } from 'vitest';
import { FEW, Rounds, TURNS_MAX, TURNS_MIN } from '../../proxy/relay/rounds.ts';

const members = (count: number) => new Map(Array.from({ length: count }, (_, i) => [i, i]));

/** All turns of the next round. */
function round(rounds: Rounds<number>): number[][] {
  const first = rounds.next();
  return [first, ...Array.from({ length: rounds.turns - 1 }, () => rounds.next())];
}

const LEAST = TURNS_MIN * FEW;
const MOST = TURNS_MAX * FEW;

describe('a round', () => {
  test.each([0, 1, FEW, LEAST - 1, LEAST, LEAST + 1, MOST, 10 * MOST + 1])('of %i has each of them once', (count) => {
    const turns = round(new Rounds(members(count)));
    expect(turns.flat()).toEqual([...members(count).keys()]);
    expect(Math.max(...turns.map((turn) => turn.length))).toBe(Math.ceil(count / turns.length));
  });

  test.each([
    [0, TURNS_MIN],
    [LEAST - 1, TURNS_MIN],
    [LEAST, TURNS_MIN],
    [LEAST + 1, TURNS_MIN + 1],
    [MOST - FEW, TURNS_MAX - 1],
    [MOST - FEW + 1, TURNS_MAX],
    [MOST + 1, TURNS_MAX],
  ])('of %i has %i turns', (count, turns) => {
    expect(round(new Rounds(members(count))).length).toBe(turns);
  });

  test.each([1, LEAST + 1, MOST + 1])('of %i begins anew when it has ended, and not before', (count) => {
    const rounds = new Rounds(members(count));
    const all = [...members(count).keys()];
    expect(round(rounds).flat()).toEqual(all);
    expect(round(rounds).flat()).toEqual(all);
  });

  test.each([
    ['as many come as there are', (all: Map<number, number>) => all.set(100_000 + all.size, 100_000 + all.size)],
    [
      'most of those go who had their turn',
      (all: Map<number, number>, turn: number[]) => turn.forEach((one) => void all.delete(one)),
    ],
  ])('is over in time while %s', (_, change) => {
    const all = members(2 * MOST);
    const rounds = new Rounds(all);
    const seen = new Set<number>();
    for (let turn = 0; turn < TURNS_MAX; turn++) {
      const now = rounds.next();
      for (const one of now) {
        seen.add(one);
        change(all, now);
      }
    }
    expect([...members(2 * MOST).keys()].filter((one) => !seen.has(one))).toEqual([]);
  });

  test('has more turns when more have come, from the next round on', () => {
    const all = members(1);
    const rounds = new Rounds(all);
    rounds.next();
    for (let i = 0; i < MOST; i++) all.set(i, i);
    expect(rounds.turns).toBe(TURNS_MIN);
    for (let turn = 1; turn < TURNS_MIN; turn++) rounds.next();
    rounds.next();
    expect(rounds.turns).toBe(TURNS_MAX);
  });

  test('does not come to those who have gone', () => {
    const all = members(2 * TURNS_MIN);
    const rounds = new Rounds(all);
    rounds.next();
    all.delete(5);
    expect(Array.from({ length: TURNS_MIN - 1 }, () => rounds.next()).flat()).not.toContain(5);
  });
});
