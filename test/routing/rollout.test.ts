/** What rollouts cost in moves: the table of docs/decisions/0011-rollout-cost.md is computed again and must be true. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { deployment, movesPerUser, statefulSet } from './rollout.ts';

const USERS = 4_000;
const MIN_READY_MS = 10_000;
/** Pods of one surge are ready within three seconds of each other. */
const startMs = (index: number) => 10_000 + ((index * 7_919) % 3_000);

const document = readFileSync(new URL('../../docs/decisions/0011-rollout-cost.md', import.meta.url), 'utf8');
const rows = [...document.matchAll(/^\| (\d+) \| (\d+)s \| (.*) \|$/gm)].map(([, pods, admit, figures = '']) => ({
  pods: Number(pods),
  admitAfterMs: Number(admit) * 1_000,
  figures: figures.split(' | '),
}));

/** The columns of the table, in its order. */
function costs(pods: number, admitAfterMs: number): number[] {
  const stories = [
    ...[1, pods].flatMap((surge) =>
      [0, MIN_READY_MS].map((minReadyMs) => deployment({ pods, surge, minReadyMs, startMs })),
    ),
    statefulSet({ pods, startMs }),
  ];
  return stories.map((steps) => movesPerUser(steps, admitAfterMs, USERS));
}

test('the table has rows', () => expect(rows).toHaveLength(6));

test.each(rows)('$pods pods, admit-after $admitAfterMs ms: as in the table', ({ pods, admitAfterMs, figures }) => {
  expect(costs(pods, admitAfterMs).map((cost) => cost.toFixed(2))).toEqual(figures);
});

describe.each([3, 5, 10])('%d pods, with the default admit-after', (pods) => {
  const [surgeOne = 0, surgeOneReady = 0, , surgeAllReady = 0] = costs(pods, 2_000);

  test('a surge of 1 costs no more than 2N/(N+1), within the sampling error', () => {
    const theory = (2 * pods) / (pods + 1);
    expect(Math.max(surgeOne, surgeOneReady)).toBeLessThan(theory * 1.03);
  });

  test('a surge of 100 % costs no more than 1.2', () => expect(surgeAllReady).toBeLessThan(1.2));
});
