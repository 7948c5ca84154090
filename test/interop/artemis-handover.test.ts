/** What clients of an Artemis cluster may use, across handovers from node to node: acknowledgements, durable topics, topics at a rate. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runTopic } from '../topic/run.ts';
import { ARTEMIS, pairOf } from './brokers.ts';
import { workWhileMoved } from './jobs.ts';
import { BUILD_MAX_MS, build } from './maven.ts';
import { replaceAll } from './replacing.ts';
import { receipt, Stage } from './stage.ts';

let stage: Stage;

beforeAll(async () => {
  await build(ARTEMIS.project);
  stage = await Stage.start(pairOf(ARTEMIS));
}, BUILD_MAX_MS);

afterAll(() => stage?.stop());

test.each(['client-individual', 'client'] as const)(
  'acknowledgements, %s: every job is done, and nothing is left in the queue',
  async (ack) => {
    const { left } = await workWhileMoved(stage, { queue: `/queue/jobs-${ack}`, ack });
    expect(left).toEqual([]);
  },
);

test('a durable subscription keeps what is published while it moves', async () => {
  const topic = '/topic/durable.news';
  const client = await stage.proxied('reader', { 'client-id': 'reader' });
  const bodies = new Set<string>();
  const durable = { id: 'd', 'durable-subscription-name': 'news' };
  await receipt(client, (headers) =>
    client.subscribe(topic, ({ body }) => bodies.add(body), { ...headers, ...durable }),
  );
  const producer = await stage.direct();
  const publish = async (from: number, to: number) => {
    for (let n = from; n <= to; n++)
      await receipt(producer, (headers) => producer.publish({ destination: topic, body: `${n}`, headers }));
  };
  await Promise.all([publish(1, 200), stage.move()]);
  await publish(201, 250);
  await expect.poll(() => bodies.size, { timeout: 10_000 }).toBe(250);
  expect(client.connected).toBe(true);
});

test('an ERROR of the broker is the end of that session alone', async () => {
  const [wrong, right] = [await stage.proxied('wrong'), await stage.proxied('right')];
  const refused = new Promise<string | undefined>((resolve) => {
    wrong.onStompError = ({ headers }) => resolve(headers['message']);
  });
  const closed = new Promise<number>((resolve) => {
    wrong.onWebSocketClose = ({ code }) => resolve(code);
  });
  wrong.ack('99,99', 'never');
  expect(await refused).toMatch(/failed to ack because no message with id 99,99/);
  expect(await closed).toBe(1002);
  await receipt(right, (headers) => right.publish({ destination: '/topic/nobody', headers }));
  expect(right.connected).toBe(true);
});

test('both nodes are replaced under a topic: nothing lost, doubled or swapped, no close', async () => {
  expect(await replaceAll(stage)).toMatchObject({ lost: 0, duplicated: 0, reordered: 0 });
});

test('one topic of 2 producers at 300 a second, without ids, over two handovers: each once and in order', async () => {
  const options = { way: 'holdfast', rate: 300, subscribers: 2, durationMs: 9_000, moves: 2, ids: false } as const;
  const { tally, moved } = await runTopic({ ...options, publishers: 2 }, async () => pairOf(ARTEMIS));
  expect(tally).toMatchObject({ sent: 5_400, received: 5_400, lost: 0, duplicated: 0, reordered: 0 });
  expect(moved).toBe(4);
});
