/** Who is noticed when silent, and who is not blamed. */
import { setTimeout as after } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { started } from '../backend/tools.ts';
import { startChild } from '../support/child.ts';
import { echo, echoClient, RawClient, textOf } from '../support/client.ts';
import { startProxy } from '../support/proxy.ts';
import { scriptedPod } from '../support/scripted-pod.ts';
import { tcpFault } from '../support/tcp-fault.ts';

const FAST = ['--backend-heartbeat', '100ms', '--backend-gone', '500ms', '--client-heartbeat', '100ms'];
const BEATS = { 'accept-version': '1.2', 'heart-beat': '0,100' };

async function beats(client: RawClient, count: number): Promise<void> {
  for (let seen = 0; seen < count; ) if ((await client.next()) === 'beat') seen++;
}

/** A pod in a process of its own, to be stopped by signals. */
async function podProcess(name: string) {
  const child = startChild('backend/main.ts', ['--name', name, '--listen', '127.0.0.1:0', '--log-level', 'silent']);
  const { address } = await child.line((line) => line['ready'] === true);
  return { name, address: String(address), child };
}

test('the client gets its heart-beats while there is no pod, and the answer to what it sent meanwhile', async () => {
  const pods = [await scriptedPod('pod-1'), await scriptedPod('pod-2')];
  const proxy = await startProxy(pods.slice(0, 1), FAST);
  const client = await RawClient.connect(proxy.ws, { user: 'alice' }, BEATS);
  proxy.setPods([]);
  (await pods[0]?.link(0))?.socket.terminate();
  await proxy.line(({ msg }) => msg.startsWith('link lost'));
  client.send('SEND', { destination: '/a' }, 'kept');
  await beats(client, 5);
  proxy.setPods(pods.slice(1));
  const link = await pods[1]?.link(0);
  expect(textOf((await link?.frame('SEND')) as never)).toBe('kept');
  await beats(client, 2);
});

test('a client that waited long for its first pod is not silent because of that', async () => {
  const proxy = await startProxy([], FAST);
  const client = await RawClient.open(proxy.ws, { user: 'alice' });
  client.send('CONNECT', { 'accept-version': '1.2', 'heart-beat': '100,0' });
  await after(300);
  proxy.setPods([await scriptedPod('pod-1')]);
  await client.frame('CONNECTED');
  // Silent from here on: noticed after two intervals, and not before one.
  const since = performance.now();
  expect((await client.closed).code).toBe(1002);
  expect(performance.now() - since).toBeGreaterThan(100);
});

test('links beat even when the client asked for none', async () => {
  const pod = await scriptedPod('pod-1', { connected: { 'heart-beat': '0,100' } });
  const proxy = await startProxy([pod], FAST);
  await RawClient.connect(proxy.ws, { user: 'alice' }, { 'accept-version': '1.2', 'heart-beat': '0,0' });
  const { socket, messages } = await pod.link(0);
  while (messages.filter(({ text }) => text === '\n').length < 3)
    await new Promise((resolve) => socket.once('message', resolve));
  expect((await (await pod.link(0)).frame('CONNECT')).header('heart-beat')).toBe('100,100');
});

test('a pod that promised beats and sends none is left, though its WebSocket answers pings', async () => {
  const pod = await scriptedPod('pod-1', { connected: { 'heart-beat': '200,0' } });
  const proxy = await startProxy([pod], FAST);
  await RawClient.connect(proxy.ws, { user: 'alice' });
  expect((await proxy.line(({ msg }) => msg.startsWith('link lost')))['why']).toMatch(/^silent for/);
});

test('a pod that promises no beats stays, as long as it answers pings', async () => {
  const pod = await scriptedPod('pod-1');
  const proxy = await startProxy([pod], FAST);
  await RawClient.connect(proxy.ws, { user: 'alice' });
  const { socket } = await pod.link(0);
  for (let pings = 0; pings < 8; pings++) await new Promise((resolve) => socket.once('ping', resolve));
  expect(proxy.lines.filter(({ msg }) => msg.startsWith('link lost'))).toEqual([]);
});

test('a pod that hangs is left within backend.gone, and what it says when it wakes reaches nobody', async () => {
  const pods = [await podProcess('pod-1'), await podProcess('pod-2')];
  const proxy = await startProxy(pods, FAST);
  const client = await echoClient(proxy.ws, 'alice');
  const { pod: name } = await proxy.line(({ msg }) => msg === 'link connected');
  const hung = pods.find((pod) => pod.name === name)?.child;
  hung?.signal('SIGSTOP');
  for (let i = 0; i < 10; i++) client.send('SEND', { destination: '/app/echo' }, `late ${i}`);
  const lost = await proxy.line(({ msg }) => msg.startsWith('link lost'));
  const silentMs = Number(/silent for (\d+) ms/.exec(String(lost['why']))?.[1]);
  expect(silentMs).toBeGreaterThanOrEqual(500);
  expect(silentMs).toBeLessThan(2_000);
  await proxy.line(({ msg }) => msg.startsWith('recovered'));
  hung?.signal('SIGCONT');
  for (let i = 0; i < 20; i++) await echo(client, `fresh ${i}`);
});

test('a connection that is half open is left within backend.gone', async () => {
  const [bad, good] = [await started({ name: 'bad' }), await started({ name: 'good' })];
  const fault = await tcpFault(bad.address);
  const proxy = await startProxy([{ name: 'bad', address: fault.address }], FAST);
  const client = await echoClient(proxy.ws, 'alice');
  fault.blackHole();
  await proxy.line(({ msg, why }) => msg.startsWith('link lost') && String(why).startsWith('silent'));
  proxy.setPods([good]);
  await echo(client, 'here again');
});

test('a client whose connection is half open is closed after three pings', async () => {
  const pod = await scriptedPod('pod-1');
  const proxy = await startProxy([pod], FAST);
  const fault = await tcpFault(`127.0.0.1:${proxy.port}`);
  await RawClient.connect(`ws://${fault.address}/ws`, { user: 'alice' });
  fault.blackHole();
  await (await pod.link(0)).closed;
  await proxy.metricIs('holdfast_client_closes_total{reason="client-silent"}', 1);
});

test('a client that promised beats and sends none is told so', async () => {
  const proxy = await startProxy([await scriptedPod('pod-1')], FAST);
  const client = await RawClient.connect(
    proxy.ws,
    { user: 'alice' },
    { 'accept-version': '1.2', 'heart-beat': '100,0' },
  );
  expect(await client.closed).toEqual({ code: 1002, reason: 'heart-beats missed' });
});

test('a proxy that stood still blames nobody', async () => {
  const pods = [
    await started({ name: 'pod-1', heartBeatMs: [1000, 5000] }),
    await started({ name: 'pod-2', heartBeatMs: [1000, 5000] }),
  ];
  const child = startChild('proxy/main.ts', [
    ...['serve', '--listen', '127.0.0.1:0', '--admin', '127.0.0.1:0', '--user', 'header:Username'],
    ...['--pods', pods.map(({ name, address }) => `${name}=${address}`).join(','), ...FAST],
  ]);
  const { listen } = await child.line(({ msg }) => msg === 'holdfast serves');
  const url = `${String(listen).replace('http', 'ws')}/ws`;
  const clients = [];
  for (const user of ['a', 'b', 'c', 'd']) clients.push(await echoClient(url, user));
  child.signal('SIGSTOP');
  await after(1500);
  child.signal('SIGCONT');
  for (const client of clients) await echo(client, 'still here');
  // Longer than it takes to notice a silent peer.
  await after(700);
  for (const client of clients) await echo(client, 'and now');
  expect(child.lines.filter(({ level, session }) => level === 'warn' && session !== undefined)).toEqual([]);
});
