/** The simulated world itself, where it was once wrong. */
import { expect, test } from 'vitest';
import { Profile } from '../../proxy/session/index.ts';
import { Agenda } from './agenda.ts';
import { SimClient } from './client.ts';
import { Dice } from './dice.ts';
import { type PodWorld, SimPod } from './pods.ts';
import { SESSION } from './settings.ts';
import { Wire } from './wire.ts';

function worldOf(agenda: Agenda): PodWorld {
  const network = { agenda, dice: Dice.for(1, 'test'), latencyMs: 1, frozenUntilMs: 0 };
  return {
    ...network,
    profile: 'receipt',
    numbers: true,
    took: () => {},
    work: () => undefined,
    claim: () => {},
    log: () => {},
  };
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

test('a client listens when the pod it is at has its subscription, not when the next one has', async () => {
  const agenda = new Agenda();
  const world = worldOf(agenda);
  const pods = ['a', 'b'].map((name) => new SimPod(world, name, name, name));
  const ignore = () => {};
  const client = new SimClient(
    1,
    'ann',
    '',
    { ...SESSION, profileOf: () => new Profile('spring'), holdBytes: 1_024 },
    {
      ...world,
      ...{ request: ignore, fact: ignore, ended: ignore, arrived: ignore, sent: ignore, mayBeLate: () => false },
      dial: (listener, { id }, end) => new Wire(world, listener, id, pods.find(({ uid }) => uid === id) as SimPod, end),
    },
  );
  const grant = (cause: 'open' | 'handover', id: string) =>
    client.granted(cause, { id, name: id, address: id, state: 'serving' });
  client.start();
  grant('open', 'a');
  await agenda.runUntil(10, ignore);
  pods[0]?.stall(100);
  client.send('SUBSCRIBE id:1 destination:/queue/x');
  grant('handover', 'b');
  await agenda.runUntil(50, ignore);
  expect([...(pods[1]?.wires ?? [])].map(({ subscriptions }) => subscriptions.size)).toEqual([1]);
  expect(client.listensSinceMs.size).toBe(0);
  await agenda.runUntil(150, ignore);
  expect(client.listensSinceMs.get('/queue/x')).toBeCloseTo(111, -1);
});
