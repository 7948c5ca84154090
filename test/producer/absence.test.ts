import { describe, expect, test } from 'vitest';
import { Absence } from '../../producer/absence.ts';

type Step = [at: number, look: 'absent' | 'broken' | 'absent on ring 2', stillNeededMs?: number];

const TABLE: Record<string, Step[]> = {
  'one look proves nothing': [[0, 'absent', 2000]],
  'an unbroken span proves it, to the millisecond': [
    [0, 'absent', 2000],
    [500, 'absent', 1500],
    [1999, 'absent', 1],
    [2000, 'absent', 0],
  ],
  'a pod that could not be asked starts the span anew': [
    [0, 'absent', 2000],
    [1500, 'broken'],
    [1600, 'absent', 2000],
    [3599, 'absent', 1],
    [3600, 'absent', 0],
  ],
  'rings that changed start the span anew': [
    [0, 'absent', 2000],
    [1900, 'absent on ring 2', 2000],
    [2100, 'absent on ring 2', 1800],
  ],
  'once proven, the next look is enough': [
    [0, 'absent', 2000],
    [2000, 'absent', 0],
    [3000, 'absent', 0],
  ],
  'two looks are enough, and the second may be late by one wait': [
    [0, 'absent', 2000],
    [3000, 'absent', 0],
  ],
  'nobody looked for as long as the proof and one look take: still one span': [
    [0, 'absent', 2000],
    [2000, 'absent', 0],
    [4999, 'absent', 0],
    [7999, 'absent', 0],
  ],
  'nobody looked for longer: anew': [
    [0, 'absent', 2000],
    [2000, 'absent', 0],
    [5001, 'absent', 2000],
  ],
};

describe('absence', () => {
  test('says when a look can prove it, and never when the last one proved nothing', () => {
    const absence = new Absence(2000);
    expect(absence.neededMs(0)).toBe(Number.POSITIVE_INFINITY);
    absence.seen('1', 100);
    expect([1100, 2099, 2100, 2101].map((now) => absence.neededMs(now))).toEqual([1000, 1, 0, 0]);
    absence.broken();
    expect(absence.neededMs(2200)).toBe(Number.POSITIVE_INFINITY);
  });

  test.each(Object.entries(TABLE))('%s', (_, steps) => {
    const absence = new Absence(2000);
    for (const [at, look, stillNeededMs] of steps) {
      if (look === 'broken') absence.broken();
      else expect(absence.seen(look === 'absent' ? '1' : '2', at)).toBe(stillNeededMs);
    }
  });
});
