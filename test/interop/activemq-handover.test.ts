/** What clients of a network of ActiveMQ brokers may use, across handovers from one to the other. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runTopic } from '../topic/run.ts';
import { ACTIVEMQ, pairOf } from './brokers.ts';
import { workWhileMoved } from './jobs.ts';
import { BUILD_MAX_MS, build } from './maven.ts';
import { replaceAll } from './replacing.ts';
import { receipt, Stage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  await build(ACTIVEMQ.project);
  stage = await Stage.start(pairOf(ACTIVEMQ));
}, BUILD_MAX_MS);

afterAll(() => stage?.stop());

test.each(['client-individual', 'client'] as const)(
  'acknowledgements, %s: every job is done; what comes again is marked; nothing is left in the queue',
  async (ack) => {
    const { unmarked, left } = await workWhileMoved(stage, { queue: `/queue/jobs-${ack}`, ack });
    expect(unmarked).toEqual([]);
    expect(left).toEqual([]);
  },
);

test('a client-id moves: the old link ends before the new one is made, and the client keeps its connection', async () => {
  const client = await stage.proxied('reader', { 'client-id': 'reader' });
  const bodies: string[] = [];
  const topic = '/topic/durable.news';
  const durable = { id: 'd', 'activemq.subscriptionName': 'news' };
  await receipt(client, (headers) =>
    client.subscribe(topic, ({ body }) => bodies.push(body), { ...headers, ...durable }),
  );
  await stage.move();
  await receipt(client, (headers) => client.publish({ destination: topic, body: 'after', headers }));
  await expect.poll(() => bodies, { timeout: 10_000 }).toEqual(['after']);
});

test('a frame that the client sends in parts, and several in one, arrive whole and one by one', async () => {
  const client = await stage.proxied('splitter', {}, { splitLargeFrames: true, maxWebSocketChunkSize: 100 });
  const bodies: string[] = [];
  await receipt(client, (headers) => client.subscribe('/topic/parts', ({ body }) => bodies.push(body), headers));
  const body = 'x'.repeat(10_000);
  await receipt(client, (headers) => client.publish({ destination: '/topic/parts', body, headers }));
  const both = ['a', 'b'].map((text) => `SEND\ndestination:/topic/parts\n\n${text}\0`);
  client.webSocket?.send(both.join(''));
  await expect.poll(() => bodies, { timeout: 10_000 }).toEqual([body, 'a', 'b']);
});

test('both brokers are replaced under a topic: nothing lost, doubled or swapped, no close', async () => {
  expect(await replaceAll(stage)).toMatchObject({ lost: 0, duplicated: 0, reordered: 0 });
});

test('one topic of 2 producers at 300 a second, without ids, over two handovers: each once and in order', async () => {
  const options = { way: 'holdfast', rate: 300, subscribers: 2, durationMs: 9_000, moves: 2, ids: false } as const;
  const { tally, moved } = await runTopic({ ...options, publishers: 2 }, async () => pairOf(ACTIVEMQ));
  expect(tally).toMatchObject({ sent: 5_400, received: 5_400, lost: 0, duplicated: 0, reordered: 0 });
  expect(moved).toBe(4);
});
