/** What a client of a RabbitMQ cluster may use, across handovers from node to node: acknowledgements, transactions, durable topics. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, type IMessage } from '@stomp/stompjs';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { WebSocket } from 'ws';
import { rabbitmq } from '../experiment/backends/rabbitmq.ts';
import { Fleet } from '../experiment/fleet.ts';
import { type ProxyProcess, startProxy } from '../experiment/proxy.ts';
import { runTopic } from '../topic/run.ts';

let fleet: Fleet;
let proxy: ProxyProcess;
const ends: (() => unknown)[] = [];

beforeAll(async () => {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-rabbitmq-'));
  ends.push(() => rmSync(directory, { recursive: true }));
  const backend = await rabbitmq({ mode: 'holdfast', podFlags: [] });
  ends.push(() => backend.stop());
  fleet = new Fleet({ directory, startPod: backend.startPod });
  ends.push(() => fleet.stop());
  await fleet.add(2);
  const flags = ['--handover-drain-max', '500ms', '--handover-barrier-max', '500ms'];
  proxy = await startProxy({ podsFile: fleet.file, flags });
  ends.push(() => proxy.stop());
});

afterAll(async () => {
  for (const end of ends.reverse()) await end();
});

async function connected(url: string, user: string): Promise<Client> {
  const client = new Client({
    webSocketFactory: () => new WebSocket(url, ['v12.stomp'], { headers: { Username: user } }),
    reconnectDelay: 0,
  });
  const open = Promise.withResolvers<void>();
  client.onConnect = () => open.resolve();
  client.onWebSocketClose = ({ code }) => open.reject(new Error(`closed ${code}`));
  client.activate();
  onTestFinished(() => client.deactivate({ force: true }));
  await open.promise;
  return client;
}

const proxied = (user: string) => connected(`${proxy.listenUrl.replace(/^http/, 'ws')}/ws`, user);
const direct = () => connected(`ws://${fleet.serving[0]?.address}/ws`, 'producer');

async function metricIs(name: string, isRight: (value: number) => boolean): Promise<void> {
  await expect.poll(async () => isRight((await proxy.metrics()).get(name) ?? 0), { timeout: 20_000 }).toBe(true);
}

/** The only session goes to the other node; resolves when it is there and its old link is closed. */
async function move(): Promise<void> {
  const before = await proxy.metrics();
  const from = fleet.listed.find(({ name }) => (before.get(`holdfast_sessions{pod="${name}"}`) ?? 0) > 0);
  if (from === undefined) throw new Error('there is no session');
  fleet.mark('serving', ...fleet.listed.filter((pod) => pod !== from));
  fleet.mark('draining', from);
  await metricIs(`holdfast_sessions{pod="${from.name}"}`, (value) => value === 0);
  await metricIs(`holdfast_links{pod="${from.name}",state="draining"}`, (value) => value === 0);
  expect((await proxy.metrics()).get('holdfast_moves_total')).toBeGreaterThan(before.get('holdfast_moves_total') ?? 0);
}

async function receipt(client: Client, act: (headers: { receipt: string }) => void): Promise<void> {
  const id = `r-${Math.random()}`;
  const answered = new Promise<void>((resolve) => client.watchForReceipt(id, () => resolve()));
  act({ receipt: id });
  await answered;
}

describe.each(['client-individual', 'client'] as const)('acknowledgements: %s', (ack) => {
  test('every job is done; what comes again is marked; nothing is left in the queue', async () => {
    const queue = `/queue/jobs-${ack}`;
    const worker = await proxied(`worker-${ack}`);
    const done = new Map<string, number>();
    const unmarked: string[] = [];
    const work = (message: IMessage) => {
      if (done.has(message.body) && message.headers['redelivered'] !== 'true') unmarked.push(message.body);
      done.set(message.body, (done.get(message.body) ?? 0) + 1);
      setImmediate(() => message.ack());
    };
    await receipt(worker, (headers) => worker.subscribe(queue, work, { ...headers, ack, 'prefetch-count': '20' }));
    const producer = await direct();
    let [jobs, isMoving] = [0, true];
    const sending = (async () => {
      while (isMoving) {
        await receipt(producer, (headers) => producer.publish({ destination: queue, body: `${++jobs}`, headers }));
      }
    })();
    await move();
    await move();
    isMoving = false;
    await sending;
    await expect.poll(() => done.size, { timeout: 10_000 }).toBe(jobs);
    expect(unmarked).toEqual([]);
    expect(worker.connected).toBe(true);
    await receipt(worker, (headers) => worker.publish({ destination: '/topic/nobody', headers }));
    await worker.deactivate();
    const rest = await direct();
    const found: string[] = [];
    await receipt(rest, (headers) => rest.subscribe(queue, ({ body }) => found.push(body), headers));
    await receipt(rest, (headers) => rest.publish({ destination: '/topic/nobody', headers }));
    expect(found).toEqual([]);
  });
});

test('a transaction that is open for longer than a move waits moves along and is applied once', async () => {
  const queue = '/queue/transacted';
  const client = await proxied('banker');
  const reader = await direct();
  const bodies: string[] = [];
  await receipt(reader, (headers) => reader.subscribe(queue, ({ body }) => bodies.push(body), headers));
  const transaction = client.begin();
  client.publish({ destination: queue, body: 'one', headers: { transaction: transaction.id } });
  await move();
  client.publish({ destination: queue, body: 'two', headers: { transaction: transaction.id } });
  expect(bodies).toEqual([]);
  transaction.commit();
  await expect.poll(() => bodies.length, { timeout: 10_000 }).toBe(2);
  await receipt(reader, (headers) => reader.publish({ destination: '/topic/nobody', headers }));
  expect(bodies).toEqual(['one', 'two']);
  expect(client.connected).toBe(true);
});

test('a durable subscription keeps what is published while it moves', async () => {
  const topic = '/topic/durable.news';
  const client = await proxied('reader');
  const bodies: string[] = [];
  await receipt(client, (headers) =>
    client.subscribe(topic, ({ body }) => bodies.push(body), {
      ...headers,
      id: 'd1',
      durable: 'true',
      'auto-delete': 'false',
    }),
  );
  const producer = await direct();
  const publish = async (from: number, to: number) => {
    for (let n = from; n <= to; n++)
      await receipt(producer, (headers) => producer.publish({ destination: topic, body: `${n}`, headers }));
  };
  await Promise.all([publish(1, 200), move()]);
  await publish(201, 250);
  await expect.poll(() => new Set(bodies).size, { timeout: 10_000 }).toBe(250);
  expect(bodies.length).toBe(250);
});

test.each([1, 2])(
  'one topic of %d producers at 1,000 a second, without ids, over two handovers: each once and in order',
  async (publishers) => {
    const options = { way: 'holdfast', rate: 1_000, subscribers: 2, durationMs: 6_000, moves: 2, ids: false } as const;
    const { tally, moved } = await runTopic({ ...options, publishers });
    expect(tally).toMatchObject({ sent: 12_000, received: 12_000, lost: 0, duplicated: 0, reordered: 0 });
    expect(moved).toBe(4);
  },
);
