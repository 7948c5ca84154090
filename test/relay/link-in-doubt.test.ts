/** A link that is not read because others to its pod have ended may have ended, too: what the client says waits until that is known. */
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

/** As a turnstile does: before the event loop looks what there is to be read. */
async function release(passer: Passer): Promise<void> {
  await new Promise(setImmediate);
  passer.hold(false);
}

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
  await release(passer);
  client.send('SEND', { destination: '/a' }, '4');
  await eventually(() => expect(sends(link)).toEqual(['1', '2', '3', '4']));
  await proxy.metricIs('holdfast_paused{side="client"}', 0);
});

test('it goes to the next link, whole, when this one has ended', async () => {
  const { pod, link, passer } = await saidInDoubt();
  link.socket.terminate();
  await link.closed;
  await release(passer);
  const next = await pod.link(1);
  await eventually(() => expect(sends(next)).toEqual(['1', '2', '3']));
  expect(sends(link)).toEqual([]);
  await eventually(() => expect(left).toContain(passer));
});

test('it waits on when others end again before the event loop has been round', async () => {
  const { client, link, passer } = await saidInDoubt();
  await release(passer);
  passer.hold(true);
  for (let i = 0; i < 3; i++) await new Promise(setImmediate);
  client.send('SEND', { destination: '/a' }, '4');
  expect(sends(link)).toEqual([]);
  await release(passer);
  await eventually(() => expect(sends(link)).toEqual(['1', '2', '3', '4']));
});

test('what the pod has said before its end is not lost', async () => {
  const { client, link, passer } = await saidInDoubt();
  link.send('MESSAGE', { subscription: '1', 'message-id': '1', destination: '/a' }, 'last words');
  link.socket.close(1001);
  await release(passer);
  expect(textOf(await client.frame('MESSAGE'))).toBe('last words');
});
