/**
 * What ActiveMQ Artemis does on the wire, as far as Holdfast relies on it or has to live with it. docs/backends/artemis.md says it in
 * words. A cluster of two nodes, `one` and `two` below.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import type { Frame } from '../../stomp/index.ts';
import {
  connected,
  endOf,
  heard,
  heardOf,
  line,
  messages,
  RawClient,
  spread,
  subscribed,
  textOf,
} from './broker-client.ts';
import { ARTEMIS, Broker, BrokerPair } from './brokers.ts';
import { BUILD_MAX_MS, build } from './maven.ts';

const pair = new BrokerPair(ARTEMIS);
let one: Broker;
let two: Broker;

beforeAll(async () => {
  await build(ARTEMIS.project);
  [one, two] = await Promise.all([pair.run('one'), pair.run('two')]);
}, BUILD_MAX_MS);

afterAll(() => pair.stop());

/** Destinations that no other test uses. */
let last = 0;
const newTopic = () => `/topic/t${++last}`;
const newQueue = () => `/queue/q${++last}`;

/** Its WebSocket ends without a close frame, whatever the reason. */
const CUT = { code: 1006, reason: '' };
const ID = { 'client-id': 'me' };
const DURABLE = { id: 'd', 'durable-subscription-name': 'd' };

/** Bodies that are left in a queue, in its order. */
async function leftIn(queue: string): Promise<string[]> {
  const client = await subscribed(one, queue);
  client.send('SEND', { destination: queue }, 'the end');
  const bodies: string[] = [];
  for (let body = ''; body !== 'the end'; bodies.push(body)) body = textOf(await client.frame('MESSAGE'));
  client.socket.terminate();
  return bodies.slice(0, -1);
}

/** Its headers but for the id. */
const linesOf = (frame: Frame) =>
  Array.from(frame.headers(), ([name, value]) => `${name}:${value}`).filter((text) => !text.startsWith('message-id:'));

describe('CONNECTED', () => {
  it.each([
    ['5500,300', '500,5500'],
    ['100,10000', '10000,500'],
    ['0,0', '0,30000'],
    [undefined, undefined],
  ])('names version, session and server; heart-beats %s are answered by %s', async (asked, answered) => {
    const client = await RawClient.open(one.url, { text: true });
    client.send('CONNECT', { 'accept-version': '1.1,1.2', ...(asked === undefined ? {} : { 'heart-beat': asked }) });
    const frame = await client.frame('CONNECTED');
    expect([...frame.headerNames()].slice(0, 3)).toEqual(['version', 'session', 'server']);
    expect(frame.header('server')).toMatch(/^ActiveMQ-Artemis\/\d+\.\d+\.\d+ ActiveMQ Artemis Messaging Engine$/);
    expect(frame.header('version')).toBe('1.2');
    expect(frame.header('heart-beat')).toBe(answered);
  });

  it('of STOMP 1.0 has a session and nothing else, so that nobody can tell by it what the broker is', async () => {
    const client = await RawClient.open(one.url, { text: true });
    client.send('CONNECT', {});
    expect([...(await client.frame('CONNECTED')).headerNames()]).toEqual(['session']);
  });

  it('is said again to a second CONNECT, and to one for any host', async () => {
    const client = await connected(one, { host: 'nowhere' });
    client.send('CONNECT', { 'accept-version': '1.2' });
    await client.frame('CONNECTED');
  });

  it('takes the first sub-protocol that it knows of those that are offered', async () => {
    const client = await RawClient.open(one.url, { protocols: ['v11.stomp', 'v12.stomp'] });
    expect(client.socket.protocol).toBe('v11.stomp');
  });
});

describe('receipts', () => {
  it('come for everything, DISCONNECT too; that of SUBSCRIBE before any message, that of a SEND before COMMIT', async () => {
    const client = await connected(one);
    const topic = newTopic();
    client.send('SUBSCRIBE', { id: 's', destination: topic, ack: 'client', receipt: 'subscribe' });
    client.send('SEND', { destination: topic, receipt: 'send' }, 'hello');
    expect((await client.frame('RECEIPT')).header('receipt-id')).toBe('subscribe');
    expect((await client.frame('RECEIPT')).header('receipt-id')).toBe('send');
    const { ack } = Object.fromEntries((await client.frame('MESSAGE')).headers());
    client.send('ACK', { id: ack, receipt: 'ack' });
    client.send('UNSUBSCRIBE', { id: 's', receipt: 'unsubscribe' });
    client.send('BEGIN', { transaction: 't', receipt: 'begin' });
    client.send('SEND', { destination: topic, transaction: 't', receipt: 'transacted' });
    client.send('COMMIT', { transaction: 't', receipt: 'commit' });
    client.send('DISCONNECT', { receipt: 'disconnect' });
    for (const id of ['ack', 'unsubscribe', 'begin', 'transacted', 'commit', 'disconnect'])
      expect((await client.frame('RECEIPT')).header('receipt-id')).toBe(id);
    expect(await endOf(client)).toEqual(CUT);
  });

  it('of DISCONNECT proves nothing: what had not been written to the client yet is thrown away', async () => {
    const topic = newTopic();
    const client = await subscribed(one, topic);
    const producer = await connected(one);
    client.socket.pause();
    const sent = 6_000;
    const body = 'x'.repeat(1_000);
    for (let n = 1; n < sent; n++) producer.send('SEND', { destination: topic }, body);
    producer.send('SEND', { destination: topic, receipt: 'all' }, body);
    await producer.frame('RECEIPT');
    client.send('DISCONNECT', { receipt: 'disconnect' });
    client.socket.resume();
    let received = 0;
    for (let item = await client.next(); !isEnd(item); item = await client.next()) if (isMessage(item)) received++;
    expect(received).toBeGreaterThan(0);
    expect(received).toBeLessThan(sent);
  });

  it('of SUBSCRIBE prove that what is sent from then on arrives, at the same node', async () => {
    const producer = await connected(one);
    for (let round = 0; round < 50; round++) {
      const topic = newTopic();
      const client = await subscribed(one, topic);
      producer.send('SEND', { destination: topic }, `${round}`);
      expect(await client.bodies(1)).toEqual([`${round}`]);
      client.socket.terminate();
    }
  });
});

const isEnd = (item: Awaited<ReturnType<RawClient['next']>>) => typeof item === 'object' && 'code' in item;
const isMessage = (item: Awaited<ReturnType<RawClient['next']>>) =>
  typeof item === 'object' && 'command' in item && item.command === 'MESSAGE';

describe('ERROR, with the receipt-id that was asked for where it answers a frame, and the end without a close frame', () => {
  it.each<[message: RegExp, receiptId: string | undefined, command: string, headers: Record<string, string>]>([
    [/Invalid STOMP frame/, undefined, 'FLY', {}],
    [/Error handling send/, 'r', 'SEND', {}],
    [/no subscription exists for id: never/, 'r', 'UNSUBSCRIBE', { id: 'never' }],
    [/no message with id 99,99/, 'r', 'ACK', { id: '99,99' }],
    [/No transaction started: never/, 'r', 'ABORT', { transaction: 'never' }],
    [/Error committing never/, 'r', 'COMMIT', { transaction: 'never' }],
    [/Invalid selector/, undefined, 'SUBSCRIBE', { id: 'x', destination: '/topic/x', selector: 'a = = b' }],
    [/There already is a subscription for: s/, undefined, 'SUBSCRIBE', { id: 's', destination: '/topic/x' }],
    [/Undefined escape sequence/, undefined, 'SEND', { destination: '/topic/x', 'bad\\t': '1' }],
  ])('%s', async (message, receiptId, command, headers) => {
    const client = await subscribed(one, newTopic());
    const lines = Object.entries({ ...headers, receipt: 'r' }).map(([name, value]) => `${name}:${value}\n`);
    client.socket.send(`${command}\n${lines.join('')}\n\0`);
    const error = await client.frame('ERROR');
    expect(error.header('message')).toMatch(message);
    expect(error.header('receipt-id')).toBe(receiptId);
    expect(await endOf(client)).toEqual(CUT);
  });

  it('a version that it does not know', async () => {
    const client = await RawClient.open(one.url, { text: true });
    client.send('CONNECT', { 'accept-version': '9.9' });
    expect((await client.frame('ERROR')).header('version')).toBe('1.0,1.1,1.2');
    expect(await endOf(client)).toEqual(CUT);
  });

  it('heart-beats that were promised and did not come for twice their time', async () => {
    const client = await connected(one, { 'heart-beat': '500,0' });
    expect((await client.frame('ERROR')).header('message')).toMatch(
      /^AMQ229014: Did not receive data from \S+ within the 1000ms connection TTL\./,
    );
    expect(await endOf(client)).toEqual(CUT);
  });
});

describe('frames', () => {
  it('come one in a binary message, followed by a line end; they are taken in parts and several at once', async () => {
    const topic = newTopic();
    const client = await subscribed(one, topic);
    const seen: [string, boolean][] = [];
    client.socket.on('message', (data, isBinary) => seen.push([String(data).slice(-3), isBinary]));
    client.socket.send(`SEND\ndestination:${topic}\n\na\0SEND\ndestination:${topic}\n\n`);
    client.socket.send('b\0');
    expect(await client.bodies(2)).toEqual(['a', 'b']);
    expect(seen).toEqual([
      ['a\0\n', true],
      ['b\0\n', true],
    ]);
  });

  it.each([false, true])(
    'in one message may have 65,536 octets, and one more ends the connection; binary: %j',
    async (binary) => {
      const topic = newTopic();
      const client = await subscribed(one, topic);
      const head = `SEND\ndestination:${topic}\nreceipt:r\n\n`;
      const sized = (size: number) => `${head}${'x'.repeat(size - head.length - 1)}\0`;
      client.socket.send(sized(65_536), { binary });
      await client.frame('RECEIPT');
      await client.frame('MESSAGE');
      client.socket.send(sized(65_537), { binary });
      expect(await endOf(client)).toEqual(CUT);
    },
  );
});

describe('MESSAGE', () => {
  it('has the headers of its SEND, and ids that belong to the subscription', async () => {
    const queue = newQueue();
    const client = await subscribed(one, queue, { ack: 'client' });
    client.send('SEND', { destination: queue, 'holdfast-id': '7' }, 'hello');
    const text = line(await client.frame('MESSAGE'))
      .replace(/\b\d+,\d+\b/g, 'N,N')
      .replace(/timestamp:\d+/, 'timestamp:T');
    expect(text).toBe(
      `MESSAGE subscription:s content-length:5 message-id:N,N destination:${queue} expires:0 redelivered:false priority:4 ` +
        'persistent:false timestamp:T destination-type:ANYCAST holdfast-id:7 ack:N,N |hello',
    );
  });

  it('without prefixes in its acceptor any name is a topic, /queue/… too', async () => {
    const broker = await Broker.alone(ARTEMIS, 'prefixes=false');
    onTestFinished(() => broker.kill());
    const queue = newQueue();
    const both = await Promise.all([subscribed(broker, queue), subscribed(broker, queue)]);
    both[0].send('SEND', { destination: queue }, 'hello');
    expect(await Promise.all(both.map((client) => client.bodies(1)))).toEqual([['hello'], ['hello']]);
  });

  it('selectors see every header as text', async () => {
    const topic = newTopic();
    const client = await connected(one);
    await client.subscribe(topic, { id: 's', selector: "n = '2'" });
    for (const n of ['1', '2', '3']) client.send('SEND', { destination: topic, n }, n);
    client.send('SEND', { destination: topic, n: '2' }, 'again');
    expect(await client.bodies(2)).toEqual(['2', 'again']);
  });
});

describe('ACK and NACK', () => {
  async function three(queue: string, ack: string): Promise<[RawClient, Frame[]]> {
    const client = await subscribed(one, queue, { ack });
    for (const body of ['a', 'b', 'c']) client.send('SEND', { destination: queue }, body);
    return [client, await messages(client, 3)];
  }

  it('`client` settles all before it', async () => {
    const queue = newQueue();
    const [client, [, b]] = await three(queue, 'client');
    client.send('ACK', { id: b?.header('ack'), receipt: 'r' });
    await client.frame('RECEIPT');
    client.send('DISCONNECT', {});
    await client.closed;
    expect(await leftIn(queue)).toEqual(['c']);
  });

  it('a settled id, or one of another connection, is ERROR and the end', async () => {
    const queue = newQueue();
    const [client, [a, b]] = await three(queue, 'client-individual');
    client.send('ACK', { id: a?.header('ack'), receipt: 'r' });
    await client.frame('RECEIPT');
    const other = await connected(one);
    for (const [who, id] of [
      [other, b?.header('ack')],
      [client, a?.header('ack')],
    ] as const) {
      who.send('ACK', { id });
      expect((await who.frame('ERROR')).header('message')).toMatch(/failed to ack because no message with id/);
    }
  });

  it('NACK settles: the message is gone', async () => {
    const queue = newQueue();
    const [client, all] = await three(queue, 'client-individual');
    for (const frame of all.slice(0, 2)) client.send('NACK', { id: frame.header('ack'), receipt: 'r' });
    for (const _ of [1, 2]) await client.frame('RECEIPT');
    client.send('DISCONNECT', {});
    await client.closed;
    expect(await leftIn(queue)).toEqual(['c']);
  });

  it('in a transaction that is aborted settles all the same', async () => {
    const queue = newQueue();
    const [client, [a]] = await three(queue, 'client-individual');
    client.send('BEGIN', { transaction: 't' });
    client.send('ACK', { id: a?.header('ack'), transaction: 't' });
    client.send('ABORT', { transaction: 't', receipt: 'r' });
    await client.frame('RECEIPT');
    client.send('DISCONNECT', {});
    await client.closed;
    expect(await leftIn(queue)).toEqual(['b', 'c']);
  });

  it.each([
    ['that was cut', (client: RawClient) => client.socket.terminate(), false],
    ['that ended by DISCONNECT', (client: RawClient) => client.send('DISCONNECT', {}), true],
  ])('what a connection %s had not settled goes to the next', async (_how, end, unmarked) => {
    const queue = newQueue();
    const [client] = await three(queue, 'client-individual');
    end(client);
    const again = await messages(await subscribed(one, queue), 3);
    expect(again.map(textOf)).toEqual(['a', 'b', 'c']);
    expect(again.some((frame) => frame.header('redelivered') === 'false')).toBe(unmarked);
  });
});

describe('subscriptions', () => {
  it('a queue is shared in turn by its consumers, on any node', async () => {
    const queue = newQueue();
    const [here, there] = [await subscribed(one, queue), await subscribed(two, queue)];
    const producer = await connected(one);
    await spread(producer, queue, there);
    for (const body of ['a', 'b', 'c', 'd']) producer.send('SEND', { destination: queue }, body);
    const [mine, theirs] = await Promise.all([here, there].map((client) => heardOf(client, 2)));
    expect([...(mine ?? []), ...(theirs ?? [])].sort()).toEqual(['a', 'b', 'c', 'd']);
  });

  it('what the last consumer of a node leaves behind follows the consumers to the other one, not marked', async () => {
    const queue = newQueue();
    const first = await subscribed(one, queue, { ack: 'client-individual' });
    for (const body of ['a', 'b']) first.send('SEND', { destination: queue }, body);
    await messages(first, 2);
    const second = await subscribed(two, queue);
    first.socket.terminate();
    const again = await messages(second, 2);
    expect(again.map((frame) => [textOf(frame), frame.header('redelivered')])).toEqual([
      ['a', 'false'],
      ['b', 'false'],
    ]);
  });

  it('a client-id may be used twice, and those who use it share its durable subscription', async () => {
    const topic = newTopic();
    const both = [await connected(one, ID), await connected(one, ID)] as const;
    for (const client of both) await client.subscribe(topic, DURABLE);
    for (const body of ['a', 'b']) both[0].send('SEND', { destination: topic }, body);
    const [first, second] = await Promise.all(both.map((client) => client.bodies(1)));
    expect([...(first ?? []), ...(second ?? [])].sort()).toEqual(['a', 'b']);
  });

  it('durable: what is sent while nobody is there comes later; UNSUBSCRIBE ends it only with its name', async () => {
    const topic = newTopic();
    const publisher = await connected(one);
    // Another one each time: when Artemis answers an UNSUBSCRIBE under load with AMQ339017, its subscription is still there in the retry.
    const clientId = `subscriber of ${topic}`;
    const missed = async (body: string, unsubscribe: Record<string, string>) => {
      const client = await connected(one, { 'client-id': clientId });
      await client.subscribe(topic, DURABLE);
      client.send('UNSUBSCRIBE', { ...unsubscribe, receipt: 'u' });
      await client.frame('RECEIPT');
      publisher.send('SEND', { destination: topic, receipt: 'r' }, body);
      await publisher.frame('RECEIPT');
      await client.subscribe(topic, DURABLE);
      client.send('SEND', { destination: topic }, 'the next');
      const [next = ''] = await client.bodies(1);
      client.socket.terminate();
      await client.closed;
      return next;
    };
    expect(await missed('kept', { id: 'd' })).toBe('kept');
    expect(await missed('gone', DURABLE)).toBe('the next');
  });
});

describe('two nodes of a cluster', () => {
  it('deliver copies that differ in ids, and in where the first node has passed the message on to', async () => {
    const topic = newTopic();
    const [here, there] = [await subscribed(one, topic), await subscribed(two, topic)];
    const producer = await connected(one);
    await spread(producer, topic, there);
    const keys = Object.fromEntries(Array.from({ length: 14 }, (_, index) => [`key-${index * 7}`, `${index}`]));
    producer.send('SEND', { destination: topic, ...keys }, 'hello');
    const [a = [], b = []] = await Promise.all(
      [here, there].map(async (client) => linesOf(await heard(client, 'hello'))),
    );
    const ofOne = a.filter((text) => !b.includes(text));
    expect(ofOne).toEqual([expect.stringMatching(/^_AMQ_ROUTE_TO\$\.artemis\.internal\.sf\.cluster\./)]);
    expect(b).toEqual(a.filter((text) => !ofOne.includes(text)));
  });

  it('keep the order of each producer, and not that between two', async () => {
    const topic = newTopic();
    const links = [await subscribed(one, topic), await subscribed(two, topic)];
    const producers = [await connected(one), await connected(two)];
    for (const producer of producers) for (const link of links) await spread(producer, topic, link);
    const sent = Array.from({ length: 500 }, (_, n) => n);
    for (const n of sent)
      for (const [who, producer] of producers.entries()) producer.send('SEND', { destination: topic }, `${who} ${n}`);
    for (const bodies of await Promise.all(links.map((link) => heardOf(link, 2 * sent.length)))) {
      const of = (who: number) =>
        bodies.filter((body) => body.startsWith(`${who} `)).map((body) => Number(body.slice(2)));
      for (const who of [0, 1]) expect(of(who)).toEqual(sent);
    }
  });
});

describe('the end of a node cuts its links, without ERROR', () => {
  it.each([
    ['SIGTERM', () => two.stop()],
    ['SIGKILL', () => two.kill()],
  ])('%s: 1006', async (_how, end) => {
    const client = await subscribed(two, newTopic());
    const ended = end();
    expect(await endOf(client)).toEqual(CUT);
    await ended;
    two = await pair.run('two');
  });
});
