/** What a client of a RabbitMQ cluster may use, across handovers from node to node: acknowledgements, transactions, durable topics. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rabbitmq } from '../experiment/backends/rabbitmq.ts';
import { runTopic } from '../topic/run.ts';
import { workWhileMoved } from './jobs.ts';
import { receipt, Stage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.start(await rabbitmq({ mode: 'holdfast', podFlags: [] }));
});

afterAll(() => stage?.stop());

describe.each(['client-individual', 'client'] as const)('acknowledgements: %s', (ack) => {
  test('every job is done; what comes again is marked; nothing is left in the queue', async () => {
    const headers = { 'prefetch-count': '20' };
    const { unmarked, left } = await workWhileMoved(stage, { queue: `/queue/jobs-${ack}`, ack, headers });
    expect(unmarked).toEqual([]);
    expect(left).toEqual([]);
  });
});

test('a transaction that is open for longer than a move waits moves along and is applied once', async () => {
  const queue = '/queue/transacted';
  const client = await stage.proxied('banker');
  const reader = await stage.direct();
  const bodies: string[] = [];
  await receipt(reader, (headers) => reader.subscribe(queue, ({ body }) => bodies.push(body), headers));
  const transaction = client.begin();
  client.publish({ destination: queue, body: 'one', headers: { transaction: transaction.id } });
  await stage.move();
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
  const client = await stage.proxied('reader');
  const bodies: string[] = [];
  await receipt(client, (headers) =>
    client.subscribe(topic, ({ body }) => bodies.push(body), {
      ...headers,
      id: 'd1',
      durable: 'true',
      'auto-delete': 'false',
    }),
  );
  const producer = await stage.direct();
  const publish = async (from: number, to: number) => {
    for (let n = from; n <= to; n++)
      await receipt(producer, (headers) => producer.publish({ destination: topic, body: `${n}`, headers }));
  };
  await Promise.all([publish(1, 200), stage.move()]);
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
