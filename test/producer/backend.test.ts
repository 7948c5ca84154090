/** The producer against real backends of this repository, with stomp.js as the client: both transports, the real doors. */
import { Client, type IMessage } from '@stomp/stompjs';
import { afterEach, describe, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { type Backend, startBackend } from '../../backend/index.ts';
import {
  createProducer,
  httpTransport,
  type ProducerOptions,
  staticRing,
  stompTransport,
  type Transport,
} from '../../producer/index.ts';
import { Ring } from '../../ring/index.ts';

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function pods(): Promise<Backend[]> {
  const options = { path: '/ws', serviceUsers: ['app'] };
  const started = await Promise.all(['pod-1', 'pod-2', 'pod-3'].map((name) => startBackend({ ...options, name })));
  for (const pod of started) ended.push(() => pod.kill());
  return started;
}

function producerFor(backends: readonly Backend[], transport: Transport, options: Partial<ProducerOptions> = {}) {
  const producer = createProducer({ ring: staticRing(backends), transport, ...options });
  ended.push(() => producer.close());
  return producer;
}

/** stomp.js as `user` at one pod, subscribed; `received` grows. */
async function client(user: string, backend: Backend | undefined) {
  const received: IMessage[] = [];
  const stomp = new Client({
    webSocketFactory: () => new WebSocket(backend?.url ?? '', { headers: { username: user } }) as never,
    reconnectDelay: 0,
  });
  const live = Promise.withResolvers<void>();
  stomp.onConnect = () => {
    stomp.watchForReceipt('live', () => live.resolve());
    stomp.subscribe('/user/queue/x', (message) => received.push(message), { receipt: 'live' });
  };
  stomp.activate();
  ended.push(() => stomp.deactivate({ force: true }));
  await live.promise;
  return { received, leave: () => stomp.deactivate() };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}

const TRANSPORTS: [string, () => Transport][] = [
  ['HTTP', () => httpTransport()],
  ['STOMP', () => stompTransport({ login: { login: 'app' } })],
];

describe.each(TRANSPORTS)('over %s', (_, transport) => {
  test.each(['alice', 'al/ice', 'ä 漢?&#;%', '../..'])('the owner of %s gets the message in one hop', async (user) => {
    const backends = await pods();
    const owner = Ring.of(['pod-1', 'pod-2', 'pod-3']).owner(user);
    const { received } = await client(
      user.replace(/[^\0-\x7f]+/g, (text) => Buffer.from(text).toString('latin1')),
      backends.find(({ name }) => name === owner),
    );
    const producer = producerFor(backends, transport());
    const result = await producer.send(user, '/queue/x', '{"price":1}', { contentType: 'application/json' });
    expect(result).toEqual({ status: 'delivered', pod: owner, id: result.id, attempts: 1 });
    await until(() => received.length === 1);
    expect(received[0]?.body).toBe('{"price":1}');
    expect(received[0]?.headers).toMatchObject({
      destination: '/user/queue/x',
      'content-type': 'application/json',
      'holdfast-id': result.id,
      'holdfast-seq': expect.stringMatching(/^[\w-]+:1$/),
    });
  });

  test('a user at another pod is found, in order and without holes', async () => {
    const backends = await pods();
    const [, second] = Ring.of(['pod-1', 'pod-2', 'pod-3']).owners('alice', 2);
    const { received } = await client(
      'alice',
      backends.find(({ name }) => name === second),
    );
    const producer = producerFor(backends, transport());
    const results = await Promise.all(Array.from({ length: 20 }, (_, n) => producer.send('alice', '/queue/x', `${n}`)));
    expect(new Set(results.map((result) => result.status === 'delivered' && result.pod))).toEqual(new Set([second]));
    await until(() => received.length === 20);
    expect(received.map(({ body }) => body)).toEqual(results.map((_, n) => `${n}`));
    expect(received.map(({ headers }) => headers['holdfast-seq']?.split(':')[1])).toEqual(
      results.map((_, n) => `${n + 1}`),
    );
  });

  test('a user who is nowhere is offline', async () => {
    const producer = producerFor(await pods(), transport(), { offlineAfterMs: 100 });
    expect(await producer.send('nobody', '/queue/x', '')).toMatchObject({ status: 'offline' });
  });

  test('a message waits for its user to come back from a crash, to another pod', async () => {
    const backends = await pods();
    const [first, second] = Ring.of(['pod-1', 'pod-2', 'pod-3']).owners('alice', 2);
    await client(
      'alice',
      backends.find(({ name }) => name === first),
    );
    const producer = producerFor(backends, transport());
    expect(await producer.send('alice', '/queue/x', 'before')).toMatchObject({ status: 'delivered', pod: first });
    backends.find(({ name }) => name === first)?.kill();
    const waiting = producer.send('alice', '/queue/x', 'after');
    const { received } = await client(
      'alice',
      backends.find(({ name }) => name === second),
    );
    expect(await waiting).toMatchObject({ status: 'delivered', pod: second });
    await until(() => received.length === 1);
    expect(received[0]?.body).toBe('after');
  });
});

test('without the right to send for others, the pod refuses', async () => {
  const producer = producerFor(await pods(), stompTransport({ login: { login: 'mallory' } }));
  await expect(producer.send('alice', '/queue/x', '')).rejects.toMatchObject({ code: 'refused' });
});
