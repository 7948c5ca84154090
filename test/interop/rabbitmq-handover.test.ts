/** What a client of a RabbitMQ cluster may use, across handovers from node to node: acknowledgements, transactions, durable topics. */
import type { IMessage } from '@stomp/stompjs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rabbitmq } from '../experiment/backends/rabbitmq.ts';
import { runTopic } from '../topic/run.ts';
import { receipt, Stage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  stage = await Stage.start(await rabbitmq({ mode: 'holdfast', podFlags: [] }));
});

afterAll(() => stage?.stop());

describe.each(['client-individual', 'client'] as const)('acknowledgements: %s', (ack) => {
  test('every job is done; what comes again is marked; nothing is left in the queue', async () => {
    const queue = `/queue/jobs-${ack}`;
    const worker = await stage.proxied(`worker-${ack}`);
    const done = new Map<string, number>();
    const unmarked: string[] = [];
    const work = (message: IMessage) => {
      if (done.has(message.body) && message.headers['redelivered'] !== 'true') unmarked.push(message.body);
      done.set(message.body, (done.get(message.body) ?? 0) + 1);
      setImmediate(() => message.ack());
    };
    await receipt(worker, (headers) => worker.subscribe(queue, work, { ...headers, ack, 'prefetch-count': '20' }));
    const producer = await stage.direct();
    let [jobs, isMoving] = [0, true];
    const sending = (async () => {
      while (isMoving) {
        await receipt(producer, (headers) => producer.publish({ destination: queue, body: `${++jobs}`, headers }));
      }
    })();
    await stage.move();
    await stage.move();
    isMoving = false;
    await sending;
    await expect.poll(() => done.size, { timeout: 10_000 }).toBe(jobs);
    expect(unmarked).toEqual([]);
    expect(worker.connected).toBe(true);
    await receipt(worker, (headers) => worker.publish({ destination: '/topic/nobody', headers }));
    await worker.deactivate();
    const rest = await stage.direct();
    const found: string[] = [];
    await receipt(rest, (headers) => rest.subscribe(queue, ({ body }) => found.push(body), headers));
    await receipt(rest, (headers) => rest.publish({ destination: '/topic/nobody', headers }));
    expect(found).toEqual([]);
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
