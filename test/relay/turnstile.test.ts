import { expect, test } from 'vitest';
import { PART_MS } from '../../proxy/relay/part-ms.ts';
import { PASSERS_MAX, type Passer, Turnstile } from '../../proxy/relay/turnstile.ts';

const turn = () => new Promise(setImmediate);
const PER_TURN = 4;

/** Passers who remember how often they were held and released. */
function setUp() {
  let now = 0;
  const turnstile = new Turnstile(PER_TURN, () => now);
  const come = (count: number) =>
    Array.from({ length: count }, () => {
      const passer = { isRead: true, told: 0, hold: (held: boolean) => tell(passer, held) };
      turnstile.join(passer);
      return passer;
    });
  /** One of them has something to say, which takes so long. */
  const deal = (ms: number) => {
    turnstile.dealt();
    now += ms;
    turnstile.dealt();
  };
  return { turnstile, come, deal };
}

function tell(passer: { isRead: boolean; told: number }, held: boolean): void {
  expect(passer.isRead, 'told the same twice').toBe(held);
  passer.isRead = !held;
  passer.told++;
}

const areRead = (passers: readonly { readonly isRead: boolean }[]) => passers.map(({ isRead }) => isRead);
const readCount = (passers: readonly { readonly isRead: boolean }[]) => areRead(passers).filter(Boolean).length;

test.each([
  [PART_MS - 1, 3],
  [PART_MS, 0],
  [PART_MS + 1, 0],
])('when dealing with some took %i ms of a turn, of three others %i are read on', (ms, count) => {
  const { come, deal } = setUp();
  const passers = come(3);
  deal(ms);
  expect(readCount(passers)).toBe(count);
});

test.each([
  [PER_TURN - 1, [0, PER_TURN - 1]],
  [PER_TURN, [0, PER_TURN]],
  [PER_TURN + 1, [0, PER_TURN, PER_TURN + 1]],
  [3 * PER_TURN, [0, PER_TURN, 2 * PER_TURN, 3 * PER_TURN]],
])('of %i who wait so many are read after each turn: %j', async (count, counts) => {
  const { come, deal } = setUp();
  const passers = come(count);
  deal(PART_MS);
  const seen = [readCount(passers)];
  while (readCount(passers) < count) {
    await turn();
    seen.push(readCount(passers));
  }
  expect(seen).toEqual(counts);
  expect(passers.map(({ told }) => told)).toEqual(passers.map(() => 2));
});

test('those who have waited longest are read first, and who comes meanwhile comes last', async () => {
  const { come, deal } = setUp();
  const passers = come(PER_TURN);
  deal(PART_MS);
  passers.push(...come(1));
  expect(readCount(passers)).toBe(0);
  await turn();
  expect(areRead(passers)).toEqual([true, true, true, true, false]);
  await turn();
  expect(readCount(passers)).toBe(PER_TURN + 1);
});

test('who is read and takes long again holds back those who are read, behind those who wait', async () => {
  const { come, deal } = setUp();
  const passers = come(2 * PER_TURN);
  deal(PART_MS);
  await turn();
  deal(PART_MS);
  expect(readCount(passers)).toBe(0);
  await turn();
  expect(areRead(passers)).toEqual([...Array(PER_TURN).fill(false), ...Array(PER_TURN).fill(true)]);
});

test('who leaves while waiting is read, and is not held any more', async () => {
  const { turnstile, come, deal } = setUp();
  const passers = come(2);
  deal(PART_MS);
  turnstile.leave(passers[0] as Passer);
  expect(areRead(passers)).toEqual([true, false]);
  await turn();
  expect(passers.map(({ told }) => told)).toEqual([2, 2]);
});

test('who leaves while being read is not told of it', () => {
  const { turnstile, come, deal } = setUp();
  const passers = come(2);
  turnstile.leave(passers[0] as Passer);
  deal(PART_MS);
  expect(passers.map(({ told }) => told)).toEqual([0, 1]);
});

test('each turn of the event loop has its own time', async () => {
  const { come, deal } = setUp();
  const passers = come(2);
  for (let i = 0; i < 3; i++) {
    deal(PART_MS - 1);
    await turn();
  }
  expect(passers.map(({ told }) => told)).toEqual([0, 0]);
});

test.each([
  [PASSERS_MAX - 1, PASSERS_MAX - 1],
  [PASSERS_MAX, PASSERS_MAX],
  [PASSERS_MAX + 1, PASSERS_MAX],
])('of %i who are there, %i can be held', (count, held) => {
  const { come, deal } = setUp();
  const passers = come(count);
  deal(PART_MS);
  expect(count - readCount(passers)).toBe(held);
});

test('who comes while as many wait as can be held is read, and has no place to leave', async () => {
  const { turnstile, come, deal } = setUp();
  come(PASSERS_MAX);
  deal(PART_MS);
  const [late] = come(1);
  turnstile.leave(late as Passer);
  await turn();
  expect(late).toMatchObject({ isRead: true, told: 0 });
});
