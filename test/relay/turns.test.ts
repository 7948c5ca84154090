import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Turns } from '../../proxy/relay/turns.ts';

/** More than any machine needs to do nothing. */
const LONG_MS = 200;

function busy(ms: number): void {
  for (const untilMs = performance.now() + ms; performance.now() < untilMs; );
}

test('a turn is as long as it was busy', async () => {
  await nextTurn();
  const turns = new Turns();
  busy(LONG_MS);
  await nextTurn();
  expect(turns.takeMs()).toBeGreaterThanOrEqual(LONG_MS);
  expect(turns.takeMs(), 'it is told once').toBe(0);
});

test('what a turn waits for something to do does not count', async () => {
  await nextTurn();
  const turns = new Turns();
  await sleep(10 * LONG_MS);
  expect(turns.takeMs()).toBeLessThan(LONG_MS);
});

test('of several turns it is the mean', async () => {
  await nextTurn();
  const turns = new Turns();
  busy(LONG_MS);
  for (let i = 0; i < 4; i++) await nextTurn();
  expect(turns.takeMs()).toBeLessThan(LONG_MS);
});

test('twice in one turn it is nothing, and the next one counts from its beginning', async () => {
  await nextTurn();
  const turns = new Turns();
  busy(LONG_MS);
  expect(turns.takeMs()).toBe(0);
  await nextTurn();
  expect(turns.takeMs()).toBeGreaterThanOrEqual(LONG_MS);
});
