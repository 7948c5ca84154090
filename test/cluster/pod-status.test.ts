import { describe, expect, it } from 'vitest';
import type { Pod } from './pod.ts';
import { type PodFacts, statusOf } from './pod-status.ts';

const pod: Pod = {
  metadata: { name: 'backend-1' },
  spec: { containers: [{ name: 'backend', image: 'holdfast-backend' }] },
};
const EARLY = '2026-01-01T00:00:00.000Z';
const LATE = '2026-01-01T00:00:09.000Z';
const ended = { exitCode: 0, startedAt: EARLY, finishedAt: LATE };
const crashed = { ...ended, exitCode: 137 };

const creating: PodFacts = {
  ...{ ip: '10.244.1.0', startTime: EARLY, ready: false, restarts: 0, last: undefined, over: false },
  container: { is: 'waiting', reason: 'ContainerCreating' },
};
const running: PodFacts = { ...creating, container: { is: 'running', startedAt: EARLY } };
const restarted: PodFacts = { ...running, restarts: 1, last: crashed };

function conditions(facts: PodFacts) {
  const pairs = statusOf(pod, facts, undefined, EARLY).conditions.map(({ type, status }) => [type, status] as const);
  return Object.fromEntries(pairs);
}

describe('the phase', () => {
  it.each<[string, PodFacts]>([
    ['Pending', creating],
    ['Running', running],
    ['Running', { ...restarted, container: { is: 'terminated', ...crashed } }],
    ['Succeeded', { ...running, over: true, container: { is: 'terminated', ...ended } }],
    ['Failed', { ...running, over: true, container: { is: 'terminated', ...crashed } }],
  ])('%s', (phase, facts) => {
    expect(statusOf(pod, facts, undefined, EARLY).phase).toBe(phase);
  });
});

it('says that a pod is ready when its container is', () => {
  expect(conditions(running)).toMatchObject({ PodScheduled: 'True', ContainersReady: 'False', Ready: 'False' });
  expect(conditions({ ...running, ready: true })).toMatchObject({ ContainersReady: 'True', Ready: 'True' });
});

it('keeps the time at which a condition changed', () => {
  const first = statusOf(pod, running, undefined, EARLY);
  const second = statusOf(pod, { ...running, ready: true }, first, LATE);
  const timeOf = (type: string) => second.conditions.find((condition) => condition.type === type)?.lastTransitionTime;
  expect([timeOf('Initialized'), timeOf('Ready')]).toEqual([EARLY, LATE]);
});

it('tells of the container that died and of the one that runs, under one address', () => {
  const { podIP, containerStatuses } = statusOf(pod, restarted, undefined, LATE);
  expect(podIP).toBe('10.244.1.0');
  expect(containerStatuses).toEqual([
    expect.objectContaining({
      ...{ name: 'backend', restartCount: 1, ready: false, started: true },
      ...{ state: { running: { startedAt: EARLY } }, lastState: { terminated: crashed } },
    }),
  ]);
});
