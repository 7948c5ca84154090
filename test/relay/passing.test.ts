/** What nobody has to look at passes as the octets that came in, the mask of a client among them; all else goes its general way, in order. */
import { expect, test } from 'vitest';
import type { RawClient as Client } from '../support/client.ts';
import { RawClient, textOf } from '../support/client.ts';
import { startProxy } from '../support/proxy.ts';
import { type PodLink, scriptedPod } from '../support/scripted-pod.ts';
import { tcpFault } from '../support/tcp-fault.ts';

async function tapped(flags: readonly string[] = []) {
  const pod = await scriptedPod('pod-1');
  const behind = await tcpFault(pod.address);
  const proxy = await startProxy([{ name: 'pod-1', address: behind.address }], flags);
  const before = await tcpFault(new URL(proxy.ws).host);
  const { pathname } = new URL(proxy.ws);
  const client = await RawClient.connect(`ws://${before.address}${pathname}`, { user: 'alice' });
  return { client, link: await pod.link(0), before, behind };
}

/** Up to and with the frame that is said now. */
async function sent(client: Client, link: PodLink, headers: Record<string, string>, body: string): Promise<void> {
  client.send('SEND', { destination: '/a', ...headers }, body);
  expect(textOf(await link.frame('SEND'))).toBe(body);
}

async function told(client: Client, link: PodLink, headers: Record<string, string>, body: string): Promise<void> {
  link.send('MESSAGE', { subscription: '1', 'message-id': '1', destination: '/a', ...headers }, body);
  expect(textOf(await client.frame('MESSAGE'))).toBe(body);
}

const LENGTH = 64;
const lastOf = (octets: Buffer) => octets.subarray(-LENGTH).toString('hex');

test('a plain SEND goes to the pod under the mask of its client', async () => {
  const { client, link, before, behind } = await tapped();
  await sent(client, link, {}, 'x'.repeat(200));
  expect(lastOf(behind.heard('to-pod'))).toBe(lastOf(before.heard('to-pod')));
});

test.each([
  ['a receipt', { receipt: 'r' }],
  ['a transaction', { transaction: 't' }],
  ['a header that a client may not say', { 'holdfast-id': '1' }],
])('a SEND with %s is said by the proxy itself, under a mask of its own', async (_, headers) => {
  const { client, link, before, behind } = await tapped();
  await sent(client, link, headers, 'x'.repeat(200));
  expect(lastOf(behind.heard('to-pod'))).not.toBe(lastOf(before.heard('to-pod')));
});

test('a SEND that is larger than the pod takes is cut, although it is plain', async () => {
  const { client, link } = await tapped(['--backend-profile', 'spring']);
  const body = 'y'.repeat(20_000);
  await sent(client, link, {}, body);
  expect(link.messages.filter(({ text }) => text.includes('yyy')).length).toBeGreaterThan(1);
});

test('a SEND to a destination of the proxy is refused, and does not reach the pod', async () => {
  const { client, behind } = await tapped();
  const heard = behind.heard('to-pod').length;
  client.send('SEND', { destination: '/holdfast/session' }, 'no');
  expect((await client.frame('ERROR')).header('message')).toBe('reserved destination');
  expect(behind.heard('to-pod').subarray(heard).toString()).not.toContain('SEND');
});

test('messages with and without ids keep their order, and a repeat is dropped', async () => {
  const { client, link } = await tapped();
  for (const [id, body] of [
    ['a', '1'],
    [undefined, '2'],
    ['a', 'again'],
    ['b', '3'],
    [undefined, '4'],
  ] as const) {
    const named = id === undefined ? {} : { 'holdfast-id': id };
    link.send('MESSAGE', { subscription: '1', 'message-id': '1', destination: '/a', ...named }, body);
  }
  expect(await client.bodies(4)).toEqual(['1', '2', '3', '4']);
});

test('a MESSAGE goes to the client as its pod has written it', async () => {
  const { client, link, before, behind } = await tapped();
  await told(client, link, {}, 'z'.repeat(200));
  expect(lastOf(before.heard('to-client'))).toBe(lastOf(behind.heard('to-client')));
});

test('a frame behind the first part of another one is read with it', async () => {
  const { client, link } = await tapped();
  const whole = Buffer.from('MESSAGE\nsubscription:1\nmessage-id:1\ndestination:/a\n\nMESSAGE\n\nin it\0');
  link.socket.send(whole.subarray(0, 52));
  link.socket.send(whole.subarray(52));
  expect(await client.bodies(1)).toEqual(['MESSAGE\n\nin it']);
});

test('what a new pod says waits for what the old one still had, though nobody else need see it', async () => {
  const pods = [await scriptedPod('pod-1'), await scriptedPod('pod-2')] as const;
  const proxy = await startProxy(pods.slice(0, 1));
  const client = await RawClient.connect(proxy.ws, { user: 'alice' });
  await client.subscribe('/a');
  const old = await pods[0].link(0);
  proxy.setPods([{ ...pods[0], state: 'draining' }, pods[1]]);
  const next = await pods[1].link(0);
  await next.frame('SUBSCRIBE');
  const headers = { subscription: '/a', 'message-id': '1', destination: '/a' };
  next.send('MESSAGE', headers, 'new');
  old.send('MESSAGE', headers, 'old');
  expect(await client.bodies(2)).toEqual(['old', 'new']);
});
