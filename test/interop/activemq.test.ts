/**
 * What ActiveMQ (Classic) does on the wire, as far as Holdfast relies on it or has to live with it. docs/backends/activemq.md says it in
 * words. A network of two brokers, `one` and `two` below.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connected, endOf, heard, heardOf, messages, RawClient, spread, subscribed, textOf } from './broker-client.ts';
import { ACTIVEMQ, type Broker, BrokerPair } from './brokers.ts';
import { BUILD_MAX_MS, build } from './maven.ts';

const pair = new BrokerPair(ACTIVEMQ);
let one: Broker;
let two: Broker;

beforeAll(async () => {
  await build(ACTIVEMQ.project);
  [one, two] = await Promise.all([pair.run('one'), pair.run('two')]);
}, BUILD_MAX_MS);

afterAll(() => pair.stop());

/** Destinations that no other test uses. */
let last = 0;
const newTopic = () => `/topic/t${++last}`;
const newQueue = () => `/queue/q${++last}`;

/** How it ends a session, whatever the reason: an upstream 1000 is no clean end. */
const ENDED = { code: 1000, reason: expect.any(String) };
const DURABLE = { id: 'd', 'activemq.subscriptionName': 'd' };

describe('CONNECTED', () => {
  it.each([
    ['1.2', '5500,300', '300,5500'],
    ['1.1', undefined, '0,0'],
    [undefined, undefined, '0,0'],
  ])(
    'of version %s has server, session and version; heart-beats %s are swapped: %s',
    async (version, asked, answered) => {
      const client = await RawClient.open(one.url, { text: true });
      const headers = { 'accept-version': version, 'heart-beat': asked };
      client.send('CONNECT', headers);
      const frame = await client.frame('CONNECTED');
      expect([...frame.headerNames()].sort()).toEqual(['heart-beat', 'server', 'session', 'version']);
      expect(frame.header('server')).toMatch(/^ActiveMQ\/\d+\.\d+\.\d+$/);
      expect(frame.header('version')).toBe(version ?? '1.0');
      expect(frame.header('heart-beat')).toBe(answered);
    },
  );

  it('given twice gets ERROR, and the session lives', async () => {
    const client = await connected(one);
    client.send('CONNECT', { 'accept-version': '1.2' });
    expect((await client.frame('ERROR')).header('message')).toBe('Already connected.');
    await client.subscribe(newTopic());
  });

  it('takes the highest sub-protocol that is offered, and refuses with 500 who offers none', async () => {
    const client = await RawClient.open(one.url, { protocols: ['v11.stomp', 'v12.stomp'] });
    expect(client.socket.protocol).toBe('v12.stomp');
    await expect(RawClient.open(one.url, { protocols: [] })).rejects.toThrow('500');
  });
});

describe('receipts', () => {
  it('come for everything, DISCONNECT too, in the order of the frames', async () => {
    const topic = newTopic();
    const client = await subscribed(one, topic, { ack: 'client' });
    client.send('SEND', { destination: topic, receipt: 'send' }, 'hello');
    expect((await client.frame('RECEIPT')).header('receipt-id')).toBe('send');
    client.send('ACK', { id: (await client.frame('MESSAGE')).header('ack'), receipt: 'ack' });
    client.send('UNSUBSCRIBE', { id: 's', receipt: 'unsubscribe' });
    client.send('BEGIN', { transaction: 't', receipt: 'begin' });
    client.send('SEND', { destination: topic, transaction: 't', receipt: 'transacted' });
    client.send('COMMIT', { transaction: 't', receipt: 'commit' });
    client.send('DISCONNECT', { receipt: 'disconnect' });
    for (const id of ['ack', 'unsubscribe', 'begin', 'transacted', 'commit', 'disconnect'])
      expect((await client.frame('RECEIPT')).header('receipt-id')).toBe(id);
    expect(await endOf(client)).toEqual(ENDED);
  });

  it('of DISCONNECT comes after all that a topic had for the client', async () => {
    const topic = newTopic();
    const client = await subscribed(one, topic);
    const producer = await connected(one);
    client.socket.pause();
    const sent = Array.from({ length: 5_000 }, (_, n) => `${n} ${'x'.repeat(500)}`);
    for (const [n, body] of sent.entries())
      producer.send('SEND', { destination: topic, ...(n + 1 === sent.length ? { receipt: 'all' } : {}) }, body);
    await producer.frame('RECEIPT');
    client.send('DISCONNECT', { receipt: 'disconnect' });
    client.socket.resume();
    expect(await client.bodies(sent.length)).toEqual(sent);
    await client.frame('RECEIPT');
  });

  it('of SUBSCRIBE prove that what is sent from then on arrives, at the same broker', async () => {
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

describe('ERROR has the receipt-id that was asked for', () => {
  it.each<[message: RegExp, command: string, headers: Record<string, string>]>([
    [/SEND received without a Destination/, 'SEND', {}],
    [/SUBSCRIBE received without a subscription id/, 'SUBSCRIBE', { destination: '/topic/x' }],
    [/No subscription matched/, 'UNSUBSCRIBE', { id: 'never' }],
    [/Unexpected ACK/, 'ACK', { id: 'never' }],
    [/Invalid transaction id: never/, 'COMMIT', { transaction: 'never' }],
    [/Invalid transaction id: never/, 'SEND', { destination: '/topic/x', transaction: 'never' }],
    [/Couldn't create TopicSubscription/, 'SUBSCRIBE', { id: 'x', destination: '/topic/x', selector: 'a = = b' }],
  ])('%s, and the session lives', async (message, command, headers) => {
    const client = await connected(one);
    client.send(command, { ...headers, receipt: 'r' });
    const error = await client.frame('ERROR');
    expect(error.header('message')).toMatch(message);
    expect(error.header('receipt-id')).toBe('r');
    await client.subscribe(newTopic());
  });

  it('and is the end after a command that it does not know', async () => {
    const client = await connected(one);
    client.send('FLY', { receipt: 'r' });
    expect((await client.frame('ERROR')).header('message')).toBe('Unknown STOMP action: FLY');
    expect(await endOf(client)).toEqual(ENDED);
  });

  it('does not come for heart-beats that were promised: the connection just ends', async () => {
    const client = await connected(one, { 'heart-beat': '300,0' });
    expect(await endOf(client)).toEqual(ENDED);
  });
});

describe('frames', () => {
  it('come as text, and are taken one in a text message: a second one is dropped', async () => {
    const topic = newTopic();
    const client = await subscribed(one, topic);
    const seen: [string, boolean][] = [];
    client.socket.on('message', (data, isBinary) => seen.push([String(data).slice(-2), isBinary]));
    client.socket.send(`SEND\ndestination:${topic}\n\na\0SEND\ndestination:${topic}\n\nb\0`);
    client.socket.send(`\nSEND\ndestination:${topic}\n\nc\0\n`);
    expect(await client.bodies(2)).toEqual(['a', 'c']);
    expect(seen).toEqual([
      ['a\0', false],
      ['c\0', false],
    ]);
  });

  it('in two messages are the end', async () => {
    const client = await connected(one);
    client.socket.send('SEND\ndestination:/topic/x\n');
    expect(await endOf(client)).toEqual(ENDED);
  });

  it('in binary messages are not seen at all', async () => {
    const topic = newTopic();
    const client = await subscribed(one, topic);
    client.socket.send(Buffer.from(`SEND\ndestination:${topic}\n\nbinary\0`));
    client.send('SEND', { destination: topic }, 'text');
    expect(await client.bodies(1)).toEqual(['text']);
  });

  it('may have 65,536 octets, and one more is close 1009', async () => {
    const topic = newTopic();
    const client = await subscribed(one, topic);
    const head = `SEND\ndestination:${topic}\nreceipt:r\n\n`;
    const sized = (size: number) => `${head}${'x'.repeat(size - head.length - 1)}\0`;
    client.socket.send(sized(65_536));
    await client.frame('RECEIPT');
    await client.frame('MESSAGE');
    client.socket.send(sized(65_537));
    expect(await endOf(client)).toMatchObject({ code: 1009 });
  });
});

describe('ACK and NACK', () => {
  async function three(queue: string, ack: string) {
    const client = await subscribed(one, queue, { ack });
    for (const body of ['a', 'b', 'c']) client.send('SEND', { destination: queue }, body);
    return { client, all: await messages(client, 3) };
  }

  async function rest(queue: string, count: number) {
    const client = await subscribed(one, queue);
    return (await messages(client, count)).map((frame) => [textOf(frame), frame.header('redelivered')]);
  }

  it('the id that every link shows is of the message; that which an ACK needs is of the connection', async () => {
    const topic = newTopic();
    const links = [await subscribed(one, topic, { ack: 'client' }), await subscribed(one, topic, { ack: 'client' })];
    links[0]?.send('SEND', { destination: topic }, 'hello');
    const [mine, theirs] = await Promise.all(links.map((link) => link.frame('MESSAGE')));
    expect(mine?.header('message-id')).toBe(theirs?.header('message-id'));
    expect(mine?.header('ack')).not.toBe(theirs?.header('ack'));
    links[0]?.send('ACK', { id: theirs?.header('ack') });
    expect((await links[0]?.frame('ERROR'))?.header('message')).toMatch(/Unexpected ACK/);
  });

  it('`client` settles all before it; what was not settled comes again, all of it marked as redelivered', async () => {
    const queue = newQueue();
    const { client, all } = await three(queue, 'client');
    client.send('ACK', { id: all[0]?.header('ack'), receipt: 'r' });
    await client.frame('RECEIPT');
    client.socket.terminate();
    expect(await rest(queue, 2)).toEqual([
      ['b', 'true'],
      ['c', 'true'],
    ]);
  });

  it('NACK sends a persistent message to ActiveMQ.DLQ, and forgets any other', async () => {
    const queue = newQueue();
    const dead = await subscribed(one, '/queue/ActiveMQ.DLQ');
    const client = await subscribed(one, queue, { ack: 'client-individual' });
    client.send('SEND', { destination: queue }, 'lost');
    client.send('SEND', { destination: queue, persistent: 'true' }, 'kept');
    for (const message of await messages(client, 2)) client.send('NACK', { id: message.header('ack') });
    const letter = await dead.frame('MESSAGE');
    expect([textOf(letter), letter.header('original-destination')]).toEqual(['kept', queue]);
  });

  it('in a transaction that is aborted settles nothing', async () => {
    const queue = newQueue();
    const { client, all } = await three(queue, 'client-individual');
    client.send('BEGIN', { transaction: 't' });
    client.send('ACK', { id: all[0]?.header('ack'), transaction: 't' });
    client.send('ABORT', { transaction: 't', receipt: 'r' });
    await client.frame('RECEIPT');
    client.socket.terminate();
    expect((await rest(queue, 3)).map(([body]) => body)).toEqual(['a', 'b', 'c']);
  });
});

describe('client-id', () => {
  const connect = async (broker: Broker, id: string) => {
    const client = await RawClient.open(broker.url, { text: true });
    client.send('CONNECT', { 'accept-version': '1.2', 'client-id': id });
    return client;
  };

  it('is of one connection at a time: a second one gets ERROR and the end, except at another broker', async () => {
    await (await connect(one, 'twice')).frame('CONNECTED');
    const second = await connect(one, 'twice');
    expect((await second.frame('ERROR')).header('message')).toMatch(/Client: twice already connected/);
    expect(await endOf(second)).toEqual(ENDED);
    await (await connect(two, 'twice')).frame('CONNECTED');
  });

  it('durable: what is sent while nobody is there comes later, at the same broker', async () => {
    const topic = newTopic();
    const first = await connected(one, { 'client-id': 'durable' });
    await first.subscribe(topic, DURABLE);
    first.send('DISCONNECT', { receipt: 'r' });
    await first.closed;
    const publisher = await connected(one);
    publisher.send('SEND', { destination: topic, receipt: 'r' }, 'while away');
    await publisher.frame('RECEIPT');
    const second = await connected(one, { 'client-id': 'durable' });
    await second.subscribe(topic, DURABLE);
    expect(await second.bodies(1)).toEqual(['while away']);
  });
});

describe('two brokers of a network', () => {
  it('deliver copies that are the same in every header, message-id too', async () => {
    const topic = newTopic();
    const [here, there] = [await subscribed(one, topic), await subscribed(two, topic)];
    const producer = await connected(one);
    await spread(producer, topic, there);
    producer.send('SEND', { destination: topic, 'holdfast-id': '7', 'content-type': 'text/plain' }, 'hello');
    const [mine, theirs] = await Promise.all([here, there].map((client) => heard(client, 'hello')));
    expect([...(theirs?.headers() ?? [])]).toEqual([...(mine?.headers() ?? [])]);
  });

  it('keep the order of each producer', async () => {
    const topic = newTopic();
    const links = [await subscribed(one, topic), await subscribed(two, topic)];
    const producer = await connected(one);
    for (const link of links) await spread(producer, topic, link);
    const sent = Array.from({ length: 1_000 }, (_, n) => `${n}`);
    for (const body of sent) producer.send('SEND', { destination: topic }, body);
    for (const link of links) expect(await heardOf(link, sent.length)).toEqual(sent);
  });

  it('what the last consumer of a queue leaves behind at one follows the consumers to the other, and back', async () => {
    const queue = newQueue();
    const first = await subscribed(one, queue, { ack: 'client-individual' });
    for (const body of ['a', 'b']) first.send('SEND', { destination: queue }, body);
    await messages(first, 2);
    const second = await subscribed(two, queue, { ack: 'client-individual' });
    first.socket.terminate();
    expect((await messages(second, 2)).map(textOf)).toEqual(['a', 'b']);
    const third = await subscribed(one, queue);
    second.socket.terminate();
    expect((await messages(third, 2)).map(textOf)).toEqual(['a', 'b']);
  });
});

describe('the end of a broker', () => {
  it.each([
    ['SIGTERM', 1001, () => two.stop()],
    ['SIGKILL', 1006, () => two.kill()],
  ])('%s: close %d, without ERROR', async (_how, code, end) => {
    const client = await subscribed(two, newTopic());
    const ended = end();
    expect(await endOf(client)).toMatchObject({ code });
    await ended;
    two = await pair.run('two');
  });
});
