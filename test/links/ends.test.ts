/** How a link ends, and what the client sees of it: nothing, unless the application meant the client. */
import { describe, expect, test } from 'vitest';
import { RawClient, textOf } from '../support/client.ts';
import { startProxy } from '../support/proxy.ts';
import { type PodLink, type ScriptedPod, scriptedPod } from '../support/scripted-pod.ts';

async function connected(flags: readonly string[] = []) {
  const pods = [await scriptedPod('pod-1'), await scriptedPod('pod-2')];
  const proxy = await startProxy(pods, flags);
  const client = await RawClient.connect(proxy.ws, { user: 'alice' });
  const pod = pods.find(({ links }) => links.length > 0);
  if (pod === undefined) throw new Error('no pod has a link');
  return { proxy, client, pods, pod, link: await pod.link(0) };
}

/** The ring's choice between the two. */
const OF_BAD = 'bob';

const newest = (pods: ScriptedPod[], not: PodLink) =>
  pods.flatMap(({ links }) => links).findLast((link) => link !== not);

const survived: [what: string, end: (link: PodLink) => void, why: RegExp][] = [
  ...[1000, 1001, 1002, 1011, 1012, 1013, 3000, 4500].map(
    (code) =>
      [`close ${code}`, (link: PodLink) => link.socket.close(code, 'why'), new RegExp(`closed ${code} why`)] as [
        string,
        (link: PodLink) => void,
        RegExp,
      ],
  ),
  ['a cut connection', (link) => link.socket.terminate(), /closed 1006/],
  ['ERROR: Broker not available', (link) => link.send('ERROR', { message: 'Broker not available.' }), /closed 1001/],
  ['garbage', (link) => link.socket.send('HELLO\n\n\0'), /no STOMP: unknown-command/],
  ['a reserved opcode', (link) => raw(link, [0x83, 0]), /closed 1002 opcode 3 is not known/],
  [
    'a message over the limit',
    (link) => link.socket.send(Buffer.alloc(5 * 1024 * 1024)),
    /closed 1009 a message of more than 4194304 bytes/,
  ],
];

function raw(link: PodLink, octets: number[]): void {
  // The WebSocket library sends nothing wrong: this goes under it.
  (link.request.socket as NodeJS.WritableStream).write(Buffer.from(octets));
}

describe('the session goes on after', () => {
  test.each(survived)('%s', async (_what, end, why) => {
    const { proxy, client, pods, link } = await connected();
    end(link);
    const lost = await proxy.line(({ msg }) => msg.startsWith('link lost'));
    expect(lost['why']).toMatch(why);
    await proxy.line(({ msg }) => msg.startsWith('recovered'));
    newest(pods, link)?.send('MESSAGE', { subscription: 1, 'message-id': 1, destination: '/a' }, 'hello');
    expect(textOf(await client.frame('MESSAGE'))).toBe('hello');
    await proxy.metricIs('holdfast_handovers_total{outcome="recovered"}', 1);
  });
});

describe('the session ends with', () => {
  test.each([1008, 4000, 4401, 4999])('close %i', async (code) => {
    const { proxy, client, link } = await connected();
    link.socket.close(code, 'the application said so');
    expect(await client.closed).toEqual({ code, reason: 'the application said so' });
    await proxy.metricIs('holdfast_client_closes_total{reason="backend-error"}', 1);
  });

  test('ERROR and a close behind it', async () => {
    const { proxy, client, link } = await connected();
    link.send('ERROR', { message: 'access denied' }, 'no');
    link.socket.close(1002);
    const error = await client.frame('ERROR');
    expect([error.header('message'), textOf(error)]).toEqual(['access denied', 'no']);
    expect((await client.closed).code).toBe(1002);
    await proxy.metricIs('holdfast_client_closes_total{reason="backend-error"}', 1);
  });

  test.each([401, 403])('an upgrade that the pod refuses with %i', async (refuse) => {
    const proxy = await startProxy([await scriptedPod('pod-1', { refuse })]);
    const client = await RawClient.open(proxy.ws, { user: 'alice' });
    client.send('CONNECT', { 'accept-version': '1.2' });
    expect((await client.frame('ERROR')).header('message')).toBe('not allowed');
    expect((await client.closed).code).toBe(1008);
    await proxy.metricIs('holdfast_client_closes_total{reason="backend-denied"}', 1);
  });
});

describe('another pod is tried after', () => {
  test.each([302, 404, 500, 503])('an upgrade that is refused with %i', async (refuse) => {
    const proxy = await startProxy([await scriptedPod('good'), await scriptedPod('bad', { refuse })]);
    const client = await RawClient.open(proxy.ws, { user: OF_BAD });
    client.send('CONNECT', { 'accept-version': '1.2' });
    const failed = await proxy.line(({ msg }) => msg.startsWith('link failed'));
    expect(failed).toMatchObject({ pod: 'bad', why: `upgrade refused with ${refuse}` });
    await client.frame('CONNECTED');
    expect(proxy.lines.filter(({ msg }) => msg.startsWith('link failed: another'))).toHaveLength(1);
  });

  test('a pod that drops the session each time when it has taken it', async () => {
    const good = await scriptedPod('good');
    const bad = await scriptedPod('bad', {
      onFrame: ({ socket }, { command }) => {
        if (command === 'CONNECT') setImmediate(() => socket.close(1011, 'broken'));
      },
    });
    const proxy = await startProxy([good, bad]);
    await RawClient.connect(proxy.ws, { user: OF_BAD });
    await good.link(0);
    expect(bad.links.length).toBe(2);
    await proxy.metricIs('holdfast_bounces_total', 1);
  });

  test('a pod that cannot be reached', async () => {
    const good = await scriptedPod('good');
    const proxy = await startProxy([{ name: 'bad', address: '127.0.0.1:1' }]);
    const client = await RawClient.open(proxy.ws, { user: 'alice' });
    client.send('CONNECT', { 'accept-version': '1.2' });
    const failed = await proxy.line(({ msg }) => msg.startsWith('link failed'));
    expect(failed['why']).toMatch(/^unreachable: connect ECONNREFUSED/);
    proxy.setPods([good]);
    await client.frame('CONNECTED');
  });

  test('a pod that never answers CONNECT', async () => {
    const good = await scriptedPod('good');
    const bad = await scriptedPod('bad', { polite: false });
    const proxy = await startProxy([bad], ['--backend-connect-max', '200ms']);
    const client = await RawClient.open(proxy.ws, { user: 'alice' });
    client.send('CONNECT', { 'accept-version': '1.2' });
    const failed = await proxy.line(({ msg }) => msg.startsWith('link failed'));
    expect(failed).toMatchObject({ pod: 'bad', why: 'no CONNECTED within 200 ms' });
    proxy.setPods([good]);
    await client.frame('CONNECTED');
  });
});

test('no pod for longer than outage-max: ERROR, then 1013; a client that comes later is held anew', async () => {
  const proxy = await startProxy([{ name: 'bad', address: '127.0.0.1:1' }], ['--outage-max', '500ms']);
  const client = await RawClient.open(proxy.ws, { user: 'alice' });
  client.send('CONNECT', { 'accept-version': '1.2' });
  const error = await client.frame('ERROR');
  expect(error.header('message')).toBe('no backend');
  expect(textOf(error)).toMatch(/500 ms \(outage-max\)/);
  expect((await client.closed).code).toBe(1013);
  await proxy.metricIs('holdfast_client_closes_total{reason="outage"}', 1);
  const later = await RawClient.open(proxy.ws, { user: 'alice' });
  later.send('CONNECT', { 'accept-version': '1.2' });
  proxy.setPods([await scriptedPod('good')]);
  await later.frame('CONNECTED');
});

test('an unreadable pods file leaves the last good one in force', async () => {
  const { proxy, client, link } = await connected();
  proxy.setPodsText('pods: [');
  await proxy.line(({ level }) => level === 'error' || level === 'warn');
  await proxy.metricIs('holdfast_topology_failures_total', 1);
  link.send('MESSAGE', { subscription: 1, 'message-id': 1, destination: '/a' }, 'still here');
  expect(textOf(await client.frame('MESSAGE'))).toBe('still here');
  await RawClient.connect(proxy.ws, { user: 'bob' });
});

test('a client that closes takes its links along', async () => {
  const { proxy, client, link } = await connected();
  client.socket.close(1000);
  await link.frame('DISCONNECT');
  expect(await link.closed).toBe(1000);
  await proxy.metricIs('holdfast_client_closes_total{reason="client-left"}', 1);
});

test('a client that is cut takes its links along', async () => {
  const { client, link } = await connected();
  client.socket.terminate();
  await link.frame('DISCONNECT');
  await link.closed;
});

test('DISCONNECT is answered by the pod’s receipt, then closed', async () => {
  const { client, link } = await connected();
  client.send('DISCONNECT', { receipt: 'bye' });
  expect((await client.frame('RECEIPT')).header('receipt-id')).toBe('bye');
  expect((await client.closed).code).toBe(1000);
  await link.closed;
});
