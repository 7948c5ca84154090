import { expect, test } from 'vitest';
import { Agenda } from './agenda.ts';
import { Dice } from './dice.ts';
import { type PodWorld, SimPod } from './pods.ts';
import { Wire } from './wire.ts';

function worldOf(agenda: Agenda): PodWorld {
  const network = { agenda, dice: Dice.for(1, 'test'), latencyMs: 1, frozenUntilMs: 0 };
  return { ...network, profile: 'receipt', numbers: true, took: () => {}, log: () => {} };
}

test('a pod that is stopped twice hears its broker in order', async () => {
  const agenda = new Agenda();
  const world = worldOf(agenda);
  const pod = new SimPod(world, 'pod-0#1', 'pod-0', '10.0.0.1');
  const heard: string[] = [];
  const end = {
    opened: () => wire.subscriptions.set('1', '/topic/news'),
    frames: (frames: readonly { body: Uint8Array }[]) =>
      heard.push(...frames.map(({ body }) => new TextDecoder().decode(body))),
    ended: () => {},
  };
  const wire = new Wire(world, { user: 'ann', listens: () => {} }, pod.uid, pod, end);
  agenda.at(10, () => pod.stall(100));
  agenda.at(60, () => pod.stall(200));
  for (const ms of [5, 20, 40, 80, 120, 300])
    agenda.at(ms, () => pod.spread('/topic/news', { body: `${ms}`, id: `${ms}`, seq: `news:${ms}` }));
  await agenda.runUntil(1_000, () => {});
  expect(heard).toEqual(['5', '20', '40', '80', '120', '300']);
});
