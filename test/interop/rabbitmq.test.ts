/**
 * What RabbitMQ does on the wire, as far as Holdfast relies on it or has to live with it. docs/backends/rabbitmq.md says it in
 * words. Two nodes of one cluster; `one` and `two` below.
 */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connected, endOf, line, RawClient, subscribed, textOf } from './broker-client.ts';
import { RabbitCluster, type RabbitNode } from './rabbitmq.ts';

let cluster: RabbitCluster;
let one: RabbitNode;
let two: RabbitNode;

beforeAll(async () => {
  cluster = await RabbitCluster.start(2);
  [one, two] = cluster.nodes as [RabbitNode, RabbitNode];
});

afterAll(() => cluster?.stop());

/** How RabbitMQ ends a session, whatever the reason: an upstream 1000 is no clean end. */
const DIED = { code: 1000, reason: 'STOMP died' };

/** A topic that no other test uses. */
let lastTopic = 0;
const newTopic = () => `/topic/t${++lastTopic}`;

/** The number at the end of an id: which delivery of its connection it is. */
function tagOf(id: string | undefined): number {
  return Number(/@@(\d+)$/.exec(id ?? '')?.[1]);
}

describe('CONNECTED', () => {
  it('names server, session and version, and swaps the heart-beats, floored to seconds, less than one raised to it', async () => {
    const client = await RawClient.open(one.url);
    client.send('CONNECT', { 'accept-version': '1.1,1.2', 'heart-beat': '5500,300' });
    const frame = await client.frame('CONNECTED');
    expect([...frame.headerNames()]).toEqual(['server', 'session', 'heart-beat', 'version']);
    expect(frame.header('server')).toMatch(/^RabbitMQ\/\d+\.\d+/);
    expect(frame.header('session')).toMatch(/^session-/);
    expect(frame.header('heart-beat')).toBe('1000,5000');
    expect(frame.header('version')).toBe('1.2');
  });

  it.each([
    ['Bad CONNECT', { passcode: 'wrong', login: 'guest' }],
    ['Bad CONNECT', { host: 'no-such-vhost' }],
    ['Version mismatch', { 'accept-version': '9.9' }],
  ])('is refused by ERROR %s, and the connection stays open: %j', async (message, headers) => {
    const client = await RawClient.open(one.url);
    client.send('CONNECT', { 'accept-version': '1.2', ...headers });
    expect((await client.frame('ERROR')).header('message')).toBe(message);
    client.send('CONNECT', { 'accept-version': '1.2' });
    await client.frame('CONNECTED');
  });

  it('given twice ends the connection with 1011', async () => {
    const client = await connected(one);
    client.send('CONNECT', { 'accept-version': '1.2' });
    expect(await endOf(client)).toMatchObject({ code: 1011 });
  });
});

describe('receipts', () => {
  it('come for everything but DISCONNECT, which is answered by close 1000 alone', async () => {
    const client = await connected(one);
    const topic = newTopic();
    client.send('SUBSCRIBE', { id: 's', destination: topic, ack: 'client-individual', receipt: 'subscribe' });
    expect((await client.frame('RECEIPT')).header('receipt-id')).toBe('subscribe');
    client.send('SEND', { destination: topic }, 'hello');
    const message = await client.frame('MESSAGE');
    client.send('ACK', { id: message.header('ack'), receipt: 'ack' });
    expect((await client.frame('RECEIPT')).header('receipt-id')).toBe('ack');
    client.send('UNSUBSCRIBE', { id: 's', receipt: 'unsubscribe' });
    expect((await client.frame('RECEIPT')).header('receipt-id')).toBe('unsubscribe');
    client.send('SEND', { destination: topic, receipt: 'send' }, 'to nobody');
    expect((await client.frame('RECEIPT')).header('receipt-id')).toBe('send');
    client.send('DISCONNECT', { receipt: 'disconnect' });
    expect(await endOf(client)).toEqual(DIED);
  });

  it('are not needed to know that DISCONNECT came last: what waited comes before the close', async () => {
    const topic = newTopic();
    const client = await subscribed(two, topic);
    const producer = await connected(one);
    client.socket.pause();
    const sent = Array.from({ length: 2_000 }, (_, n) => `${n}`);
    for (const body of sent) producer.send('SEND', { destination: topic, receipt: body }, body);
    for (const _ of sent) await producer.frame('RECEIPT');
    client.send('DISCONNECT', {});
    client.socket.resume();
    expect(await client.bodies(sent.length)).toEqual(sent);
    expect(await endOf(client)).toEqual(DIED);
  });

  it('of SUBSCRIBE prove that what is sent from then on arrives, also through another node', async () => {
    const producer = await connected(one);
    for (let round = 0; round < 100; round++) {
      const topic = newTopic();
      const client = await subscribed(two, topic);
      producer.send('SEND', { destination: topic }, `${round}`);
      expect(await client.bodies(1)).toEqual([`${round}`]);
      client.socket.terminate();
    }
  });
});

describe('transactions', () => {
  it('hold SENDs and their receipts back until COMMIT; ABORT forgets them', async () => {
    const topic = newTopic();
    const listener = await subscribed(one, topic);
    const client = await connected(one);
    client.send('BEGIN', { transaction: 'a', receipt: 'begin' });
    client.send('SEND', { destination: topic, transaction: 'a' }, 'never');
    client.send('ABORT', { transaction: 'a', receipt: 'abort' });
    client.send('BEGIN', { transaction: 'b' });
    client.send('SEND', { destination: topic, transaction: 'b', receipt: 'sent' }, 'kept');
    client.send('COMMIT', { transaction: 'b', receipt: 'commit' });
    const receipts: (string | undefined)[] = [];
    while (receipts.length < 4) receipts.push((await client.frame('RECEIPT')).header('receipt-id'));
    expect(receipts).toEqual(['begin', 'abort', 'commit', 'sent']);
    expect(await listener.bodies(1)).toEqual(['kept']);
  });

  it('that are unknown get ERROR without receipt-id, and the session lives', async () => {
    const client = await connected(one);
    client.send('ABORT', { transaction: 'never', receipt: 'r' });
    const error = await client.frame('ERROR');
    expect(error.header('message')).toBe('Bad transaction');
    expect(error.header('receipt-id')).toBeUndefined();
    await client.subscribe(newTopic());
  });
});

describe('ERROR', () => {
  it.each([
    ['Unknown destination', 'SEND', { destination: '/nonsense/x' }],
    ['Invalid header', 'SEND', { destination: '/topic/x', 'message-id': 'mine' }],
    ['Bad command', 'FLY', {}],
    ['No subscription found', 'UNSUBSCRIBE', { id: 'never' }],
  ])('%s leaves the session as it is, and no receipt is owed', async (message, command, headers) => {
    const client = await connected(one);
    client.send(command, { ...headers, receipt: 'r' });
    const error = await client.frame('ERROR');
    expect([...error.headerNames()]).toEqual(['message', 'content-type', 'version', 'content-length']);
    expect(error.header('message')).toBe(message);
    await client.subscribe(newTopic());
  });
});

describe('close 1000, without ERROR', () => {
  it.each([
    ['a subscription id that is in use', 'SUBSCRIBE', { id: 's', destination: '/topic/other' }],
    ['SEND to an exchange that is not there', 'SEND', { destination: '/exchange/no-such/x' }],
  ])('%s', async (_why, command, headers) => {
    const client = await subscribed(one, newTopic());
    client.send(command, headers);
    expect(await endOf(client)).toEqual(DIED);
  });

  it('ACK of a delivery that never was, after its RECEIPT', async () => {
    const client = await subscribed(one, newTopic(), { ack: 'client-individual' });
    client.send('ACK', { id: 'T_s@@session-x@@99', receipt: 'r' });
    await client.frame('RECEIPT');
    expect(await endOf(client)).toEqual(DIED);
  });

  it('an operator who closes all connections', async () => {
    const client = await subscribed(two, newTopic());
    await two.ctl('close_all_connections', '--global', 'maintenance');
    expect(await endOf(client)).toEqual(DIED);
  });

  it('a session without heart-beats that said nothing for a minute', async () => {
    const client = await connected(one);
    expect(await endOf(client)).toEqual({ code: 1000, reason: '' });
  });
});

describe('MESSAGE', () => {
  it('has the headers of its SEND, receipt and transaction among them', async () => {
    const topic = newTopic();
    const client = await subscribed(one, topic);
    const producer = await connected(one);
    producer.send('BEGIN', { transaction: 't' });
    producer.send('SEND', { destination: topic, transaction: 't', receipt: 'r', 'holdfast-id': '7' }, 'x');
    producer.send('COMMIT', { transaction: 't' });
    const message = await client.frame('MESSAGE');
    expect(message.header('receipt')).toBe('r');
    expect(message.header('transaction')).toBe('t');
    expect(message.header('holdfast-id')).toBe('7');
  });

  it('says subscription, session and delivery of the connection in its id, so no two links agree on one', async () => {
    const topic = newTopic();
    const [here, there] = await Promise.all([subscribed(one, topic), subscribed(two, topic)]);
    await here.subscribe(newTopic(), { id: 'other' });
    const producer = await connected(one);
    producer.send('SEND', { destination: `/topic/t${lastTopic}` }, 'moves the count of one link');
    await here.frame('MESSAGE');
    producer.send('SEND', { destination: topic }, 'hello');
    const [mine, theirs] = [await here.frame('MESSAGE'), await there.frame('MESSAGE')];
    expect(mine.header('message-id')).toMatch(/^T_s@@session-[\w-]+@@2$/);
    expect(theirs.header('message-id')).toMatch(/^T_s@@session-[\w-]+@@1$/);
    const rest = (text: string) => text.replace(/message-id:\S+/, 'message-id:*');
    expect(rest(line(mine))).toBe(rest(line(theirs)));
    expect(rest(line(mine))).toBe(
      `MESSAGE subscription:s destination:${topic} message-id:* redelivered:false content-length:5 |hello`,
    );
  });

  it('of one producer has the same order on links to both nodes', async () => {
    const topic = newTopic();
    const links = await Promise.all([subscribed(one, topic), subscribed(two, topic)]);
    const producer = await connected(one);
    const sent = Array.from({ length: 2_000 }, (_, n) => `${n}`);
    for (const body of sent) producer.send('SEND', { destination: topic }, body);
    for (const link of links) expect(await link.bodies(sent.length)).toEqual(sent);
  });

  it('is interleaved with those of another producer as each link likes; only the order of each producer is kept', async () => {
    const topic = newTopic();
    const links = await Promise.all([subscribed(one, topic), subscribed(two, topic)]);
    const producers = await Promise.all([connected(one), connected(two)]);
    const sent = Array.from({ length: 500 }, (_, n) => n);
    for (const n of sent)
      for (const [who, producer] of producers.entries()) producer.send('SEND', { destination: topic }, `${who} ${n}`);
    const [here = [], there = []] = await Promise.all(links.map((link) => link.bodies(2 * sent.length)));
    const ofProducer = (bodies: string[], who: number) =>
      bodies.filter((body) => body.startsWith(`${who} `)).map((body) => Number(body.slice(2)));
    for (const who of [0, 1]) for (const bodies of [here, there]) expect(ofProducer(bodies, who)).toEqual(sent);
    expect(here).not.toEqual(there);
  });
});

describe('ACK and NACK', () => {
  it('accept the id of a foreign session, and settle what has its number here', async () => {
    const topic = newTopic();
    const ack = { ack: 'client-individual' };
    const mine = await subscribed(one, topic, ack);
    const foreign = await subscribed(two, topic, ack);
    const producer = await connected(one);
    producer.send('SEND', { destination: topic }, 'hello');
    const [message, theirs] = [await mine.frame('MESSAGE'), await foreign.frame('MESSAGE')];
    mine.send('ACK', { id: theirs.header('ack'), receipt: 'r' });
    await mine.frame('RECEIPT');
    // Settled: its own id is now that of a delivery that is no more.
    mine.send('ACK', { id: message.header('ack'), receipt: 'r' });
    await mine.frame('RECEIPT');
    expect(await endOf(mine)).toEqual(DIED);
  });

  it('NACK brings the message back, marked as redelivered, under the next id', async () => {
    const topic = newTopic();
    const client = await subscribed(one, topic, { ack: 'client-individual' });
    client.send('SEND', { destination: topic }, 'hello');
    const first = await client.frame('MESSAGE');
    client.send('NACK', { id: first.header('ack') });
    const again = await client.frame('MESSAGE');
    expect(again.header('redelivered')).toBe('true');
    expect(tagOf(again.header('ack'))).toBe(tagOf(first.header('ack')) + 1);
  });

  it('ACK after UNSUBSCRIBE gets ERROR, and the session lives', async () => {
    const topic = newTopic();
    const client = await subscribed(one, topic, { ack: 'client-individual' });
    client.send('SEND', { destination: topic }, 'hello');
    const message = await client.frame('MESSAGE');
    client.send('UNSUBSCRIBE', { id: 's', receipt: 'u' });
    await client.frame('RECEIPT');
    client.send('ACK', { id: message.header('ack'), receipt: 'a' });
    expect((await client.frame('ERROR')).header('message')).toBe('Subscription not found');
    await client.subscribe(newTopic());
  });

  it('what a connection had not settled when it died goes to the next consumer, on any node, as redelivered', async () => {
    const queue = '/queue/left-behind';
    const first = await subscribed(one, queue, { ack: 'client-individual' });
    const producer = await connected(one);
    for (const body of ['a', 'b', 'c']) producer.send('SEND', { destination: queue }, body);
    const [a] = [await first.frame('MESSAGE'), await first.frame('MESSAGE'), await first.frame('MESSAGE')];
    first.send('ACK', { id: a?.header('ack'), receipt: 'r' });
    await first.frame('RECEIPT');
    first.socket.terminate();
    const second = await subscribed(two, queue);
    const again = [await second.frame('MESSAGE'), await second.frame('MESSAGE')];
    expect(again.map((frame) => [textOf(frame), frame.header('redelivered')])).toEqual([
      ['b', 'true'],
      ['c', 'true'],
    ]);
  });
});

describe('queues of subscriptions', () => {
  const durable = { id: 'd', durable: 'true', 'auto-delete': 'false' };

  it('durable: what is sent while nobody is there comes later, at any node', async () => {
    const topic = newTopic();
    const first = await subscribed(one, topic, durable);
    first.socket.terminate();
    await first.closed;
    const producer = await connected(one);
    producer.send('SEND', { destination: topic }, 'while away');
    const second = await subscribed(two, topic, durable);
    expect(await second.bodies(1)).toEqual(['while away']);
  });

  it('durable: two links with one id share what comes, and UNSUBSCRIBE of one takes the queue from the other', async () => {
    const topic = newTopic();
    const first = await subscribed(one, topic, durable);
    const second = await subscribed(two, topic, durable);
    const producer = await connected(one);
    for (const body of ['a', 'b']) producer.send('SEND', { destination: topic }, body);
    expect([...(await first.bodies(1)), ...(await second.bodies(1))].sort()).toEqual(['a', 'b']);
    second.send('UNSUBSCRIBE', { id: 'd', durable: 'true' });
    const error = await first.frame('ERROR');
    expect(error.header('message')).toBe('Server cancelled subscription');
    expect(error.header('subscription')).toBe('d');
    await first.subscribe(newTopic());
  });

  it('x-queue-name: two links share a queue; what the dead one had not settled comes to the other', async () => {
    const topic = newTopic();
    const shared = {
      'x-queue-name': `q${lastTopic}`,
      exclusive: 'false',
      'auto-delete': 'true',
      ack: 'client-individual',
    };
    const first = await subscribed(one, topic, shared);
    const second = await subscribed(two, topic, shared);
    const producer = await connected(one);
    for (const body of ['a', 'b']) producer.send('SEND', { destination: topic }, body);
    const [mine = ''] = await first.bodies(1);
    await second.bodies(1);
    first.socket.terminate();
    const again = await second.frame('MESSAGE');
    expect([textOf(again), again.header('redelivered')]).toEqual([mine, 'true']);
  });
});

describe('frames', () => {
  it('come one in a message, followed by a line end; they are taken in parts and several at once', async () => {
    const topic = newTopic();
    const client = await subscribed(one, topic);
    const messages: string[] = [];
    client.socket.on('message', (data) => messages.push(String(data)));
    client.socket.send(`SEND\ndestination:${topic}\n\na\0SEND\ndestination:${topic}\n\n`);
    client.socket.send('b\0');
    expect(await client.bodies(2)).toEqual(['a', 'b']);
    expect(messages.map((text) => text.slice(-3))).toEqual(['a\0\n', 'b\0\n']);
  });

  it('with an escape that STOMP does not know end the connection with 1007', async () => {
    const client = await connected(one);
    client.socket.send('SEND\ndestination:/topic/x\nkey:a\\tb\n\n\0');
    expect(await endOf(client)).toMatchObject({ code: 1007 });
  });
});

describe('the end of a node cuts its links at once, without ERROR, and leaves those of the others alone', () => {
  const ends: readonly [string, () => Promise<unknown>, () => Promise<unknown>][] = [
    ['maintenance mode (rabbitmq-upgrade drain)', () => two.drain(), () => two.revive()],
    ['rabbitmqctl stop_app', () => two.ctl('stop_app'), () => two.ctl('start_app')],
    ['SIGTERM', () => two.stop(), () => two.start()],
    ['SIGKILL', () => two.kill(), () => two.start()],
  ];

  it.each(ends)('%s: 1006', async (_how, end, back) => {
    const topic = newTopic();
    const client = await subscribed(two, topic);
    const other = await subscribed(one, topic);
    const ended = end();
    expect(await endOf(client)).toEqual({ code: 1006, reason: '' });
    await ended;
    other.send('SEND', { destination: topic }, 'still here');
    expect(await other.bodies(1)).toEqual(['still here']);
    await back();
    const again = await connected(two);
    again.socket.close();
    await once(again.socket, 'close');
  });
});
