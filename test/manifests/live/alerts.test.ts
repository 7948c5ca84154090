/** Each alert fires in the fault it is for, seen by a real Prometheus at real processes, and no other does. */
import { expect, onTestFinished, test } from 'vitest';
import { watchStalls } from '../../experiment/stall.ts';
import { eventually } from '../../support/proxy.ts';
import { faults } from './faults.ts';
import { alertsOf, publishedRules } from './rules.ts';
import { startStage } from './stage.ts';

/** For a machine that is busy; an alert takes some seconds. */
const FIRING_MAX_MS = 120_000;
/** From which an event loop is called slow; the threshold of the alert. */
const SLOW_MS = 100;

test('there is a fault for each alert', () => {
  expect(Object.keys(faults).sort()).toEqual(
    alertsOf(publishedRules())
      .map(({ alert }) => alert)
      .sort(),
  );
});

test.each(Object.entries(faults))('%s', async (alert, { strike, also = [], ...options }) => {
  const stage = await startStage(options);
  const longestStall = watchStalls();
  const over = new AbortController();
  onTestFinished(() => over.abort());
  const isSeen = () => eventually(async () => expect(await stage.fired()).toContain(alert), FIRING_MAX_MS);
  await Promise.all([strike(stage, over.signal), isSeen()]);
  // Whoever takes the CPU from the proxies takes it from this process as well: then that alert is right.
  const excused = longestStall() > SLOW_MS ? [...also, 'HoldfastEventLoopSlow'] : also;
  const others = (await stage.fired()).filter((name) => name !== alert);
  expect(others.filter((name) => !excused.includes(name))).toEqual([]);
});
