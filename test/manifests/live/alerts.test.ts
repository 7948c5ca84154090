/** Each alert fires in the fault it is for, seen by a real Prometheus at real processes, and no other does. */
import { expect, onTestFinished, test } from 'vitest';
import { watchStalls } from '../../experiment/stall.ts';
import { eventually } from '../../support/proxy.ts';
import { faults } from './faults.ts';
import { alertsOf, publishedRules } from './rules.ts';
import { rightWhenStarved, startStage } from './stage.ts';

/** For a machine that is busy; an alert takes some seconds. */
const FIRING_MAX_MS = 120_000;

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
  const excused = [...also, ...rightWhenStarved(longestStall())];
  const others = (await stage.fired()).filter((name) => name !== alert);
  expect(others.filter((name) => !excused.includes(name))).toEqual([]);
});
