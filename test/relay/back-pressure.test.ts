/** Slow peers, and what is kept for those that have no pod: bounded, in order, and nobody else's problem. */
import { describe, expect, test } from 'vitest';
import { Budget } from '../../proxy/relay/budget.ts';
import type { Frame } from '../../stomp/index.ts';
import { RawClient, textOf } from '../support/client.ts';
import { eventually, startProxy } from '../support/proxy.ts';
import { type PodLink, scriptedPod } from '../support/scripted-pod.ts';

/** Answers a SEND to its sender. */
function echoing(link: PodLink, frame: Frame): void {
  if (frame.command === 'SEND')
    link.send('MESSAGE', { subscription: 1, 'message-id': 1, destination: '/e' }, frame.body);
}

const KIB = 1024;
/** More than the kernel takes for two connections over loopback, so that somebody must stop reading. */
const PLENTY = 64 * KIB * KIB;

interface Flood {
  readonly sent: number;
}

/** Sends numbered bodies until the socket holds a megabyte that the other side does not take. */
async function flood(socket: { bufferedAmount: number }, send: (body: string) => void): Promise<Flood> {
  let sent = 0;
  for (let bytes = 0; socket.bufferedAmount < KIB * KIB; bytes += 8 * KIB) {
    if (bytes > PLENTY) throw new Error('everything is taken: nobody has stopped reading');
    send(`${sent++}:`.padEnd(8 * KIB, 'x'));
    if (sent % 16 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  return { sent };
}

const numberOf = (frame: Frame) => Number(textOf(frame).split(':')[0]);

async function numbered(client: RawClient, count: number): Promise<number[]> {
  const numbers = [];
  for (let i = 0; i < count; i++) numbers.push(numberOf(await client.frame('MESSAGE')));
  return numbers;
}

const upTo = (count: number) => Array.from({ length: count }, (_, i) => i);

async function echoOf(client: RawClient, text: string): Promise<void> {
  client.send('SEND', { destination: '/e' }, text);
  expect(textOf(await client.frame('MESSAGE'))).toBe(text);
}

describe('a slow client', () => {
  async function slow(flags: readonly string[] = []) {
    const pod = await scriptedPod('pod-1', { onFrame: echoing });
    const proxy = await startProxy([pod], ['--client-high-mark', '64KiB', ...flags]);
    const client = await RawClient.connect(proxy.ws, { user: 'slow' });
    const other = await RawClient.connect(proxy.ws, { user: 'other' });
    const link = await pod.link(0);
    client.socket.pause();
    const message = (body: string) =>
      link.send('MESSAGE', { subscription: 1, 'message-id': 1, destination: '/a' }, body);
    const { sent } = await flood(link.socket, message);
    return { proxy, client, other, link, sent };
  }

  test('stops the reading of its pod; nothing is lost, others go on, and it goes on when it reads', async () => {
    const { client, other, link, sent } = await slow();
    await echoOf(other, 'not disturbed');
    expect(link.socket.bufferedAmount).toBeGreaterThan(0);
    client.socket.resume();
    expect(await numbered(client, sent)).toEqual(upTo(sent));
    await echoOf(client, 'and all is well');
  });

  test('is closed after slow-max, and its pod’s link with it', async () => {
    const { proxy, other, link } = await slow(['--client-slow-max', '1s']);
    await link.closed;
    await proxy.metricIs('holdfast_client_closes_total{reason="client-slow"}', 1);
    await echoOf(other, 'not disturbed');
  });

  test('that is full while its pod is lost is moved all the same', async () => {
    const pods = [await scriptedPod('pod-1'), await scriptedPod('pod-2', { onFrame: echoing })];
    const proxy = await startProxy(pods.slice(0, 1), ['--client-high-mark', '64KiB', '--backend-connect-max', '1s']);
    const client = await RawClient.connect(proxy.ws, { user: 'slow' });
    const link = await pods[0]?.link(0);
    if (link === undefined) throw new Error('no link');
    client.socket.pause();
    await flood(link.socket, (body) =>
      link.send('MESSAGE', { subscription: 1, 'message-id': 1, destination: '/a' }, body),
    );
    proxy.setPods(pods.slice(1));
    link.socket.terminate();
    await proxy.line(({ msg }) => msg === 'link connected' || msg === 'switched');
    const second = await pods[1]?.link(0);
    await second?.frame('CONNECT');
    expect(proxy.lines.filter(({ msg }) => msg.startsWith('link failed'))).toEqual([]);
    client.socket.resume();
    second?.send('MESSAGE', { subscription: 1, 'message-id': 1, destination: '/a' }, 'last');
    let body = '';
    while (body !== 'last') body = textOf(await client.frame('MESSAGE'));
  });

  test('that gets full in the middle of a handover is handed over: the new link is read until it is live', async () => {
    const polite = await scriptedPod('pod-1');
    const slow = await scriptedPod('pod-2', { polite: false });
    const proxy = await startProxy([polite], ['--client-high-mark', '64KiB']);
    const client = await RawClient.connect(proxy.ws, { user: 'slow' });
    const old = await polite.link(0);
    client.socket.pause();
    proxy.setPods([{ ...polite, state: 'draining' }, slow]);
    const next = await slow.link(0);
    await next.frame('CONNECT');
    await flood(old.socket, (body) =>
      old.send('MESSAGE', { subscription: 1, 'message-id': 1, destination: '/a' }, body),
    );
    next.send('CONNECTED', { version: '1.2' });
    await proxy.line(({ msg }) => msg.startsWith('switched'));
  });
});

describe('a slow pod', () => {
  test('stops the reading of its clients; nothing is lost, and others go on', async () => {
    const pod = await scriptedPod('pod-1', { onFrame: echoing });
    const proxy = await startProxy([pod], ['--client-high-mark', '64KiB', '--backend-gone', '1m']);
    const client = await RawClient.connect(proxy.ws, { user: 'alice' });
    const link = await pod.link(0);
    const other = await RawClient.connect(proxy.ws, { user: 'other' });
    link.socket.pause();
    const { sent } = await flood(client.socket, (body) => client.send('SEND', { destination: '/e' }, body));
    await echoOf(other, 'not disturbed');
    link.socket.resume();
    expect(await numbered(client, sent)).toEqual(upTo(sent));
  });
});

describe('without a pod', () => {
  async function outage(clients: number, flags: readonly string[]) {
    const pods = [await scriptedPod('pod-1'), await scriptedPod('pod-2', { onFrame: echoing })];
    const proxy = await startProxy(pods.slice(0, 1), flags);
    const connected = [];
    for (let i = 0; i < clients; i++) connected.push(await RawClient.connect(proxy.ws, { user: `user-${i}` }));
    proxy.setPods([]);
    await proxy.line(({ msg, serving }) => msg === 'topology changed' && serving === 0);
    for (const { socket } of pods[0]?.links ?? []) socket.terminate();
    await proxy.metricIs('holdfast_sessions{pod=""}', clients);
    return { proxy, clients: connected, heal: () => proxy.setPods(pods.slice(1)) };
  }

  test('a session keeps hold.session and no more is read; all of it goes on when there is a pod', async () => {
    const { proxy, clients, heal } = await outage(1, ['--hold-session', '64KiB']);
    const [client] = clients;
    if (client === undefined) throw new Error('no client');
    const { sent } = await flood(client.socket, (body) => client.send('SEND', { destination: '/e' }, body));
    const held = await proxy.metric('holdfast_held_bytes');
    expect(held).toBeGreaterThan(64 * KIB);
    // What was read at once when the mark was crossed may be one chunk of 64 KiB more.
    expect(held).toBeLessThan(2 * 64 * KIB + 16 * KIB);
    heal();
    expect(await numbered(client, sent)).toEqual(upTo(sent));
    await proxy.metricIs('holdfast_held_bytes', 0);
  });

  test('all sessions together keep hold.total, also those that begin to hold later', async () => {
    const limits = ['--hold-session', '64KiB', '--hold-total', '128KiB', '--limits-frame', '32KiB'];
    const { proxy, clients, heal } = await outage(8, limits);
    const body = (i: number) => `${i}:`.padEnd(30 * KIB, 'x');
    for (const client of clients) for (let i = 0; i < 3; i++) client.send('SEND', { destination: '/e' }, body(i));
    await eventually(async () => expect(await proxy.metric('holdfast_held_bytes')).toBeGreaterThan(128 * KIB));
    // The read that spends the budget may bring a chunk of 64 KiB, and end what an earlier one had begun of a frame.
    for (let looks = 0; looks < 5; looks++) {
      expect(await proxy.metric('holdfast_held_bytes')).toBeLessThan((128 + 64 + 32) * KIB);
    }
    heal();
    for (const client of clients) expect(await numbered(client, 3)).toEqual([0, 1, 2]);
    await proxy.metricIs('holdfast_held_bytes', 0);
    for (const client of clients) await echoOf(client, 'and all is well');
  });
});

describe('the budget', () => {
  test.each([
    [99, []],
    [100, []],
    [101, [true]],
  ])('of 100: %i', (bytes, told) => {
    const changes: boolean[] = [];
    const budget = new Budget(100, () => changes.push(budget.isSpent));
    budget.add(bytes, 1);
    expect(changes).toEqual(told);
    expect(budget.held).toEqual({ bytes, frames: 1 });
  });

  test('is relieved at nine tenths, not before', () => {
    const changes: boolean[] = [];
    const budget = new Budget(100, () => changes.push(budget.isSpent));
    for (const step of [101, -10, -1, 10, 1]) budget.add(step, 0);
    expect(changes).toEqual([true, false, true]);
  });
});
