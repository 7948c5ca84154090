/** The gateway of a whole proxy in front of real pods, by each transport. */
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { started } from '../backend/tools.ts';
import { RawClient } from '../support/client.ts';
import { startProxy } from '../support/proxy.ts';

const TRANSPORTS = [
  ['http', []],
  ['stomp', ['--gateway-transport', 'stomp', '--gateway-login', 'producer']],
] as const;

async function pods() {
  return [
    await started({ name: 'a', serviceUsers: ['producer'] }),
    await started({ name: 'b', serviceUsers: ['producer'] }),
  ];
}

async function told(answer: Promise<Response>): Promise<Record<string, unknown>> {
  return (await (await answer).json()) as Record<string, unknown>;
}

function push(admin: string, user: string, body: string, headers: Record<string, string> = {}) {
  const url = `${admin}/v1/users/${encodeURIComponent(user)}/messages?destination=/queue/news`;
  return fetch(url, { method: 'POST', body, headers: { 'content-type': 'text/plain', ...headers } });
}

describe.each(TRANSPORTS)('with transport %s', (_, flags) => {
  test('a message reaches the session in one hop, also after a handover', async () => {
    const backends = await pods();
    const proxy = await startProxy(backends, flags);
    const client = await RawClient.connect(proxy.ws, { user: 'alice' });
    client.send('SUBSCRIBE', { id: 1, destination: '/user/queue/news', receipt: 'r' });
    await client.frame('RECEIPT');
    const first = await told(push(proxy.admin, 'alice', 'one'));
    expect(first).toMatchObject({ status: 'delivered', attempts: 1 });
    expect(new TextDecoder().decode((await client.frame('MESSAGE')).body)).toBe('one');
    proxy.setPods(
      backends.map(({ name, address }) => ({ name, address, state: name === first['pod'] ? 'draining' : 'serving' })),
    );
    await proxy.line(({ msg }) => msg.startsWith('switched'));
    const second = await told(push(proxy.admin, 'alice', 'two'));
    expect(second).toMatchObject({ status: 'delivered', attempts: 1 });
    expect(second['pod']).not.toBe(first['pod']);
    const message = await client.frame('MESSAGE');
    expect([new TextDecoder().decode(message.body), message.header('holdfast-id')]).toEqual(['two', second['id']]);
  });

  test('a message of the same id is delivered once', async () => {
    const proxy = await startProxy(await pods(), flags);
    const client = await RawClient.connect(proxy.ws, { user: 'alice' });
    client.send('SUBSCRIBE', { id: 1, destination: '/user/queue/news', receipt: 'r' });
    await client.frame('RECEIPT');
    for (const body of ['one', 'one', 'two']) {
      expect((await push(proxy.admin, 'alice', body, { 'holdfast-id': body })).status).toBe(200);
    }
    const bodies = [await client.frame('MESSAGE'), await client.frame('MESSAGE')].map(({ body }) =>
      new TextDecoder().decode(body),
    );
    expect(bodies).toEqual(['one', 'two']);
    await proxy.metricIs('holdfast_duplicates_dropped_total', 1);
  });

  test('nobody is there', async () => {
    const proxy = await startProxy(await pods(), flags);
    const answer = await push(proxy.admin, 'nobody', 'hello');
    expect([answer.status, await answer.json()]).toMatchObject([404, { status: 'offline' }]);
  });
});

test('a message waits for a subscription that its pod does not answer, as long as that takes to be live', async () => {
  const settleMs = 400;
  const proxy = await startProxy(await pods(), ['--backend-profile', 'spring', '--backend-settle', `${settleMs}ms`]);
  const client = await RawClient.connect(proxy.ws, { user: 'alice' });
  const subscribedAtMs = performance.now();
  client.send('SUBSCRIBE', { id: 1, destination: '/user/queue/news', receipt: 'r' });
  await client.frame('RECEIPT');
  const first = await told(push(proxy.admin, 'alice', 'one'));
  expect(first).toMatchObject({ status: 'delivered', attempts: 1 });
  expect(performance.now() - subscribedAtMs).toBeGreaterThanOrEqual(settleMs);
  expect(new TextDecoder().decode((await client.frame('MESSAGE')).body)).toBe('one');
});

test('the token of the gateway', async () => {
  const file = join(tmpdir(), `holdfast-token-${process.pid}`);
  writeFileSync(file, 'secret\n');
  const proxy = await startProxy(await pods(), ['--gateway-token-file', file]);
  expect((await push(proxy.admin, 'alice', 'hello')).status).toBe(401);
  expect((await push(proxy.admin, 'alice', 'hello', { authorization: 'Bearer wrong' })).status).toBe(401);
  expect((await push(proxy.admin, 'alice', 'hello', { authorization: 'Bearer secret' })).status).toBe(404);
});

test('the ring that it publishes is the one that it uses, and its stream tells of a change', async () => {
  const backends = await pods();
  const proxy = await startProxy(backends);
  const ring = await told(fetch(`${proxy.admin}/v1/ring`));
  expect(ring).toMatchObject({ keyKind: 'name', pods: backends.map(({ name, address }) => ({ name, address })) });
  const stream = await fetch(`${proxy.admin}/v1/ring`, { headers: { accept: 'text/event-stream' } });
  const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
  expect((await reader?.read())?.value).toContain(ring['version']);
  proxy.setPods(backends.slice(0, 1));
  expect((await reader?.read())?.value).not.toContain(ring['version']);
  await reader?.cancel();
});
