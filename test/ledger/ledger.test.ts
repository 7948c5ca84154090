import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FINDINGS_MAX, type Finding, Ledger, type Tally } from './ledger.ts';

const alice = { user: 'alice', destination: '/queue/a' };
const aliceToo = { user: 'alice', destination: '/queue/b' };
const bob = { user: 'bob', destination: '/queue/a' };

/** A ledger with one lane: messages 1 to `sent` at times 10, 20, …, then `arrivals` at 1000, 1001, …. */
function lane(sent: number, arrivals: readonly number[]): Ledger {
  const ledger = new Ledger();
  for (let n = 1; n <= sent; n++) {
    ledger.sent(alice, n, n * 10);
    ledger.answered(alice, n, 'delivered');
  }
  arrivals.forEach((n, index) => {
    ledger.received(alice, n, 1000 + index);
  });
  return ledger;
}

function faults({ lost, refused, duplicated, reordered, unknown }: Tally) {
  return { lost, refused, duplicated, reordered, unknown };
}

const NONE = { lost: 0, refused: 0, duplicated: 0, reordered: 0, unknown: 0 };

describe('what the ledger finds', () => {
  const table: [string, number, number[], Partial<typeof NONE>][] = [
    ['all, once, in order', 3, [1, 2, 3], {}],
    ['nothing was sent', 0, [], {}],
    ['the first is lost', 3, [2, 3], { lost: 1 }],
    ['one in the middle is lost', 3, [1, 3], { lost: 1 }],
    ['the last is lost', 3, [1, 2], { lost: 1 }],
    ['all are lost', 3, [], { lost: 3 }],
    ['one comes twice in a row', 3, [1, 2, 2, 3], { duplicated: 1 }],
    ['one comes again later', 3, [1, 2, 3, 1], { duplicated: 1 }],
    ['one comes three times', 2, [1, 1, 2, 1], { duplicated: 2 }],
    ['two are swapped', 3, [1, 3, 2], { reordered: 1 }],
    ['one comes much too early', 4, [4, 1, 2, 3], { reordered: 3 }],
    ['the repeat of an early one is no swap', 2, [1, 2, 1], { duplicated: 1 }],
    ['a loss is no swap', 4, [1, 4], { lost: 2 }],
    ['one that nobody sent', 2, [1, 2, 7], { unknown: 1 }],
    ['all at once', 4, [2, 1, 1, 9], { lost: 2, reordered: 1, duplicated: 1, unknown: 1 }],
  ];
  it.each(table)('%s', (_, sent, arrivals, expected) => {
    expect(faults(lane(sent, arrivals).tally())).toEqual({ ...NONE, ...expected });
  });

  it.each(['offline', 'expired', 'failed'] as const)(
    'a sender that was told %s has not lost anything unknowingly',
    (outcome) => {
      const ledger = lane(3, [1, 3]);
      ledger.answered(alice, 2, outcome);
      expect(faults(ledger.tally())).toEqual({ ...NONE, refused: 1 });
      expect(ledger.tally().losers).toEqual(['alice']);
    },
  );

  it('counts what arrives in spite of such an answer as received', () => {
    const ledger = lane(1, [1]);
    ledger.answered(alice, 1, 'expired');
    expect(faults(ledger.tally())).toEqual(NONE);
    expect(ledger.complete).toBe(true);
  });

  it('takes a message without an answer as lost', () => {
    const ledger = new Ledger();
    ledger.sent(alice, 1, 0);
    expect(faults(ledger.tally())).toEqual({ ...NONE, lost: 1 });
  });

  it('judges order by user and destination only', () => {
    const ledger = new Ledger();
    for (const each of [alice, aliceToo, bob]) for (const n of [1, 2]) ledger.sent(each, n, 0);
    for (const each of [alice, aliceToo, bob]) ledger.received(each, 1, 1);
    for (const each of [bob, aliceToo, alice]) ledger.received(each, 2, 2);
    expect(faults(ledger.tally())).toEqual(NONE);
    expect(ledger.complete).toBe(true);
  });

  it('names what it found', () => {
    const ledger = lane(3, [3, 2, 2]);
    const expected: Finding[] = [
      { ...alice, kind: 'reordered', n: 2, atMs: 1001 },
      { ...alice, kind: 'duplicated', n: 2, atMs: 1002 },
      { ...alice, kind: 'lost', n: 1, atMs: 10 },
    ];
    expect(ledger.findings()).toEqual(expected);
  });

  it.each([FINDINGS_MAX - 1, FINDINGS_MAX, FINDINGS_MAX + 1])('counts %i faults, and keeps a bounded list', (count) => {
    const ledger = lane(1, new Array<number>(count + 1).fill(1));
    expect(ledger.tally().duplicated).toBe(count);
    expect(ledger.findings()).toHaveLength(Math.min(count, FINDINGS_MAX));
  });

  it('refuses a number that was used before', () => {
    const ledger = lane(1, []);
    expect(() => ledger.sent(alice, 1, 0)).toThrow('sent twice');
  });
});

describe('figures', () => {
  it('counts arrivals per user, repeats included, and users without any', () => {
    const ledger = lane(2, [1, 1, 2]);
    ledger.sent(bob, 1, 0);
    expect(ledger.tally()).toMatchObject({ sent: 3, received: 2, minPerUser: 0, maxPerUser: 3, losers: ['bob'] });
  });

  it('measures the longest silence of a user over all destinations, and the longest way', () => {
    const ledger = new Ledger();
    for (const each of [alice, aliceToo, bob]) for (const n of [1, 2]) ledger.sent(each, n, n * 100);
    ledger.received(alice, 1, 110);
    ledger.received(aliceToo, 1, 150);
    ledger.received(bob, 1, 155);
    ledger.received(alice, 2, 230);
    ledger.received(bob, 2, 225);
    expect(ledger.tally()).toMatchObject({ gapMs: 80, delayMs: 55, slowest: { ...bob, n: 1, atMs: 155 } });
  });

  it('has the same figures for each user', () => {
    const ledger = new Ledger();
    for (const each of [alice, bob]) for (const n of [1, 2]) ledger.sent(each, n, n * 100);
    ledger.received(alice, 1, 110);
    ledger.received(bob, 1, 140);
    ledger.received(alice, 2, 230);
    ledger.received(bob, 2, 205);
    expect(ledger.users()).toEqual([
      { user: 'alice', gapMs: 120, delayMs: 30 },
      { user: 'bob', gapMs: 65, delayMs: 40 },
    ]);
  });

  it('counts the silence before the first arrival and after the last one', () => {
    const ledger = new Ledger();
    for (const n of [1, 2, 3]) ledger.sent(alice, n, n * 100);
    expect(ledger.tally().gapMs).toBe(200);
    ledger.received(alice, 1, 350);
    expect(ledger.tally().gapMs).toBe(250);
    ledger.sent(alice, 4, 900);
    expect(ledger.tally().gapMs).toBe(550);
  });

  it('has zeros before anything happens', () => {
    expect(new Ledger().tally()).toMatchObject({ sent: 0, minPerUser: 0, maxPerUser: 0, gapMs: 0, delayMs: 0 });
    expect(new Ledger().complete).toBe(true);
  });
});

/** Planted faults in random places are counted exactly. */
describe('properties', () => {
  const order = fc.integer({ min: 1, max: 40 });

  it('any order: reordered is the number of messages after a higher one', () => {
    fc.assert(
      fc.property(
        order.chain((sent) => fc.shuffledSubarray(range(sent), { minLength: sent })),
        (arrivals) => {
          const late = arrivals.filter((n, index) => arrivals.slice(0, index).some((before) => before > n)).length;
          expect(faults(lane(arrivals.length, arrivals).tally())).toEqual({ ...NONE, reordered: late });
        },
      ),
    );
  });

  it('any losses and repeats: each is counted', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 3 }), { maxLength: 40 }), (times) => {
        const arrivals = times.flatMap((count, index) => new Array<number>(count).fill(index + 1));
        expect(faults(lane(times.length, arrivals).tally())).toEqual({
          ...NONE,
          lost: times.filter((count) => count === 0).length,
          duplicated: times.reduce((sum, count) => sum + Math.max(0, count - 1), 0),
        });
      }),
    );
  });
});

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}
