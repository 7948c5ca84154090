/** The links of a pod that dies end together, and are dealt with some at a time. Here a turn has no time for more than one. */
import { beforeEach, expect, type MockInstance, test, vi } from 'vitest';
import { Turnstile } from '../../proxy/relay/turnstile.ts';
import { PlainSocket } from '../../proxy/relay/web-socket.ts';
import { RawClient, textOf } from '../support/client.ts';
import { eventually, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { type PodLink, type ScriptedPod, scriptedPod } from '../support/scripted-pod.ts';

vi.mock('../../proxy/relay/part-ms.ts', () => ({ PART_MS: 0 }));

/** More than one turn's. */
const COUNT = 300;

const users = Array.from({ length: COUNT }, (_, index) => `user-${index}`);
const comeTo = (proxy: ProxyUnderTest) => Promise.all(users.map((user) => RawClient.connect(proxy.ws, { user })));

let held: MockInstance<PlainSocket['hold']>;

beforeEach(() => {
  vi.restoreAllMocks();
  held = vi.spyOn(PlainSocket.prototype, 'hold');
});

const holds = () => held.mock.calls.filter(([isHeld]) => isHeld).length;
const sends = ({ links }: ScriptedPod) =>
  links.flatMap(({ frames }) => frames.filter(({ command }) => command === 'SEND').map(textOf));

test.each([
  ['ended', ({ socket }: PodLink) => socket.terminate()],
  ['broke', ({ request }: PodLink) => request.socket.resetAndDestroy()],
])(
  'every session whose link %s gets another one, and what its client said meanwhile arrives there, once',
  async (_, cut) => {
    const joined = vi.spyOn(Turnstile.prototype, 'join');
    const pods = [await scriptedPod('pod-1'), await scriptedPod('pod-2')] as const;
    const proxy = await startProxy(pods);
    const clients = await comeTo(proxy);
    const linked = joined.mock.contexts.filter((_, call) => joined.mock.calls[call]?.[0] instanceof PlainSocket);
    expect(new Set(linked).size, 'turnstiles, one of each pod').toBe(2);
    const [dying, other] = pods;
    const moving = dying.links.length;
    const before = other.links.length;
    for (const link of dying.links) cut(link);
    await Promise.all(dying.links.map(({ closed }) => closed));
    proxy.setPods([other]);
    for (const [index, client] of clients.entries()) client.send('SEND', { destination: '/a' }, users[index] ?? '');
    await proxy.metricIs('holdfast_sessions{pod="pod-2"}', COUNT);
    expect(other.links.length).toBe(before + moving);
    await eventually(() => expect(sends(other).sort()).toEqual([...users].sort()));
    expect(sends(dying)).toEqual([]);
    expect(holds()).toBeGreaterThan(moving / 2);
    await proxy.metricIs('holdfast_paused{side="link"}', 0);
    await proxy.metricIs('holdfast_paused{side="client"}', 0);
  },
);

test('where clients leave together, and their links end, nobody else has to wait', async () => {
  const pod = await scriptedPod('pod-1');
  const proxy = await startProxy([pod]);
  const clients = await comeTo(proxy);
  for (const client of clients.slice(1)) client.socket.terminate();
  await proxy.metricIs('holdfast_sessions{pod="pod-1"}', 1);
  await Promise.all(
    pod.links.filter(({ request }) => request.headers['username'] !== users[0]).map(({ closed }) => closed),
  );
  expect(holds()).toBe(0);
});
