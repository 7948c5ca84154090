/** A link that is not read because others to its pod have ended may have ended, too: what the client says waits until the pod has answered. */
import { beforeEach, expect, test, vi } from 'vitest';
import type { Passer } from '../../proxy/relay/turnstile.ts';
import { PlainSocket } from '../../proxy/relay/web-socket.ts';
import { RawClient, textOf } from '../support/client.ts';
import { eventually, startProxy } from '../support/proxy.ts';
import { type PodLink, scriptedPod } from '../support/scripted-pod.ts';

const joined = vi.hoisted((): Passer[] => []);
const left = vi.hoisted((): Passer[] => []);
vi.mock('../../proxy/relay/turnstile.ts', () => ({
  Turnstile: class {
    join = (passer: Passer) => void joined.push(passer);
    leave = (passer: Passer) => void left.push(passer);
    dealt = () => {};
  },
}));

beforeEach(() => {
  joined.splice(0);
  left.splice(0);
});

const sends = ({ frames }: PodLink) => frames.filter(({ command }) => command === 'SEND').map(textOf);

/** Three SENDs that the client says while its link is held. */
async function saidInDoubt() {
  const pod = await scriptedPod('pod-1');
  const proxy = await startProxy([pod]);
  const client = await RawClient.connect(proxy.ws, { user: 'alice' });
  const link = await pod.link(0);
  const passer = joined.find((each) => each instanceof PlainSocket);
  if (passer === undefined) throw new Error('the link has joined no turnstile');
  await proxy.metricIs('holdfast_paused{side="client"}', 0);
  passer.hold(true);
  for (const text of ['1', '2', '3']) client.send('SEND', { destination: '/a' }, text);
  await proxy.metricIs('holdfast_paused{side="client"}', 1);
  return { pod, proxy, client, link, passer };
}

test('it goes to the pod, in order, when the link is alive', async () => {
  const { client, link, passer, proxy } = await saidInDoubt();
  passer.hold(false);
  client.send('SEND', { destination: '/a' }, '4');
  await eventually(() => expect(sends(link)).toEqual(['1', '2', '3', '4']));
  await proxy.metricIs('holdfast_paused{side="client"}', 0);
});

test('it goes to the next link, whole, when this one has ended', async () => {
  const { pod, link, passer } = await saidInDoubt();
  link.socket.terminate();
  await link.closed;
  passer.hold(false);
  const next = await pod.link(1);
  await eventually(() => expect(sends(next)).toEqual(['1', '2', '3']));
  expect(sends(link)).toEqual([]);
  await eventually(() => expect(left).toContain(passer));
});

test('it waits for the answer of the pod', async () => {
  const { client, link, passer, proxy } = await saidInDoubt();
  link.request.socket.pause();
  passer.hold(false);
  await proxy.metricIs('holdfast_paused{side="link"}', 0);
  expect(await proxy.metric('holdfast_paused{side="client"}')).toBe(1);
  client.send('SEND', { destination: '/a' }, '4');
  link.request.socket.resume();
  await eventually(() => expect(sends(link)).toEqual(['1', '2', '3', '4']));
});

test('it waits on when others end again before the pod was asked', async () => {
  const { client, link, passer, proxy } = await saidInDoubt();
  const asked = vi.fn();
  link.socket.on('ping', asked);
  passer.hold(false);
  passer.hold(true);
  client.send('SEND', { destination: '/a' }, '4');
  expect(await proxy.metric('holdfast_paused{side="client"}')).toBe(1);
  expect([asked.mock.calls.length, sends(link)]).toEqual([0, []]);
  passer.hold(false);
  await eventually(() => expect(sends(link)).toEqual(['1', '2', '3', '4']));
  expect(asked).toHaveBeenCalledOnce();
});

test('what the pod has said before its end is not lost', async () => {
  const { client, link, passer } = await saidInDoubt();
  link.send('MESSAGE', { subscription: '1', 'message-id': '1', destination: '/a' }, 'last words');
  link.socket.close(1001);
  passer.hold(false);
  expect(textOf(await client.frame('MESSAGE'))).toBe('last words');
});
