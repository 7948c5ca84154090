/** Every query of the Grafana board, asked of a real Prometheus while pods are rolled and killed under load. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { seeded } from '../../experiment/random.ts';
import { scenarios } from '../../experiment/scenarios.ts';
import { watchStalls } from '../../experiment/stall.ts';
import { eventually } from '../../support/proxy.ts';
import { type Board, panelsOf, queriesOf } from '../board.ts';
import { folder } from '../names.ts';
import { NAMESPACE, type Prometheus } from './prometheus.ts';
import { rightWhenStarved, type Stage, startStage } from './stage.ts';

const board = JSON.parse(readFileSync(join(folder, 'components/monitoring/holdfast.json'), 'utf8')) as Board;
/** Longer than the test takes. */
const RANGE_S = 120;
const CLIENTS = 8;
const DURATION_MS = 6_000;

/** What Grafana puts in place of its variables. */
function filledIn(expr: string): string {
  return expr
    .replaceAll('$namespace', NAMESPACE)
    .replaceAll('$__rate_interval', '10s')
    .replaceAll('$__range', `${RANGE_S}s`);
}

/** The number that a panel shows. */
async function shown(prometheus: Prometheus, title: string): Promise<number> {
  const [target] = panelsOf(board).find((panel) => panel.title === title)?.targets ?? [];
  const [series] = await prometheus.query(filledIn(target?.expr ?? ''));
  return series?.value ?? Number.NaN;
}

/** Those that show nothing in the time of the test. */
async function emptyQueries(prometheus: Prometheus): Promise<string[]> {
  const asked = queriesOf(board).map(async (expr) => {
    const series = await prometheus.series(filledIn(expr), RANGE_S);
    const hasData = series.some(({ values }) => values.some(([, value]) => value !== 'NaN'));
    return hasData ? [] : [expr];
  });
  return (await Promise.all(asked)).flat();
}

async function strike(stage: Stage, scenario: keyof typeof scenarios): Promise<void> {
  await scenarios[scenario]({ fleet: stage.fleet, random: seeded(1), durationMs: DURATION_MS });
}

test('a rolling restart: the board says that all is well, no alert fires; after a crash every panel has data', async () => {
  const stage = await startStage({ clients: CLIENTS });
  const longestStall = watchStalls();
  const { prometheus } = stage;
  await strike(stage, 'rolling');
  await eventually(async () => {
    expect(await shown(prometheus, 'Rings in force')).toBe(1);
    expect(await shown(prometheus, 'Moves per user')).toBeGreaterThan(0.8);
  }, 30_000);
  expect(await shown(prometheus, 'Moves per user')).toBeLessThan(3);
  expect(await shown(prometheus, 'Clients')).toBe(2 * CLIENTS);
  for (const title of ['Closed by a failure', 'Lost', 'Twice or swapped', 'Without a pod', 'List of pods out of date'])
    expect(await shown(prometheus, title), title).toBe(0);
  const excused = rightWhenStarved(longestStall());
  expect((await stage.fired()).filter((alert) => !excused.includes(alert))).toEqual([]);

  await strike(stage, 'kill');
  await eventually(async () => expect(await emptyQueries(prometheus)).toEqual([]), 30_000);
  expect(await shown(prometheus, 'Gaps unproven')).toBeGreaterThan(0);
});

test('the autoscaler finds the sessions of each proxy by the labels namespace and pod, as prometheus-adapter asks', async () => {
  const { prometheus } = await startStage();
  const asked = 'sum(holdfast_clients{namespace="chat",pod=~"holdfast-a|holdfast-b"}) by (pod)';
  expect(await prometheus.query(asked)).toEqual([
    { metric: { pod: 'holdfast-a' }, value: 4 },
    { metric: { pod: 'holdfast-b' }, value: 4 },
  ]);
});
