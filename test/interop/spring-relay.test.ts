/**
 * What a Spring Boot application with a broker relay to RabbitMQ does on the wire. docs/backends/spring.md says it in words.
 * Two pods at one broker.
 */
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { isPodTrouble } from '../../proxy/session/classify.ts';
import { tcpFault } from '../support/tcp-fault.ts';
import { BUILD_MAX_MS } from './maven.ts';
import { RabbitCluster, type RabbitNode } from './rabbitmq.ts';
import { SockJsSocket } from './sockjs-socket.ts';
import { connected, post, RawClient, textOf } from './spring-client.ts';
import { SpringPod } from './spring-pod.ts';

/** Spring tells the other pods of its users each 10 s. */
const REGISTRY_MAX_MS = 30_000;
/** A relay that has lost its broker dials it again each 5 s. */
const BROKER_BACK_MAX_MS = 30_000;

/** One of five ends is not whole. */
const TRIES_MAX = 20;

let cluster: RabbitCluster;
let broker: RabbitNode;
let one: SpringPod;
let two: SpringPod;

beforeAll(async () => {
  cluster = await RabbitCluster.start(1);
  [broker] = cluster.nodes as [RabbitNode];
  [one, two] = [await startPod('spring-1'), await startPod('spring-2')];
}, BUILD_MAX_MS);

afterAll(async () => {
  await Promise.all([one?.kill(), two?.kill()]);
  await cluster?.stop();
});

function startPod(name: string, properties: Readonly<Record<string, string>> = {}): Promise<SpringPod> {
  return SpringPod.start({
    name,
    properties: { 'spring.profiles.active': 'relay', 'messaging.relay.host': broker.host, ...properties },
  });
}

/** A client of the broker itself. */
const atBroker = () => RawClient.connect(broker.url);

describe('CONNECTED', () => {
  it('is the broker’s, with the name of the user', async () => {
    const client = await RawClient.open(one.url, { user: 'alice' });
    client.send('CONNECT', { 'accept-version': '1.2', 'heart-beat': '5500,300', login: 'nobody', passcode: 'wrong' });
    const frame = await client.frame('CONNECTED');
    expect(Object.fromEntries(frame.headers())).toEqual({
      server: expect.stringMatching(/^RabbitMQ\//),
      session: expect.stringMatching(/^session-/),
      version: '1.2',
      'heart-beat': '1000,5000',
      'user-name': 'alice',
    });
  });
});

describe('receipts', () => {
  it.each(['/topic/x', '/user/topic/x'])('come for SUBSCRIBE to %s', async (destination) => {
    const client = await connected(one, 'alice');
    client.send('SUBSCRIBE', { id: '1', destination, receipt: 'subscribed' });
    expect((await client.frame('RECEIPT')).header('receipt-id')).toBe('subscribed');
  });

  it('do not come for what goes to the application', async () => {
    const client = await connected(one, 'alice');
    client.send('SUBSCRIBE', { id: 's', destination: '/app/state', receipt: 'never' });
    expect(textOf(await client.frame('MESSAGE'))).toContain('alice');
    client.send('SUBSCRIBE', { id: 'b', destination: '/topic/x', receipt: 'broker' });
    expect((await client.frame('RECEIPT')).header('receipt-id')).toBe('broker');
  });

  // Spring hands both frames to threads of their own: the one with the ERROR closes the session even while the other holds
  // the lock that frames wait for. Of 400 ends 70 had no ERROR and 4 not even the RECEIPT.
  it('come for DISCONNECT, and after them mostly an ERROR, always close 1002, for the broker has ended its side', async () => {
    const all = ['bye', 'Connection to broker closed.'];
    let said: (string | undefined)[] = [];
    for (let tries = 0; said.length < all.length && tries < TRIES_MAX; tries++) {
      said = await saidAtDisconnect();
      expect(said).toEqual(all.slice(0, said.length));
    }
    expect(said).toEqual(all);
  });

  async function saidAtDisconnect() {
    const client = await connected(one, 'alice');
    client.send('DISCONNECT', { receipt: 'bye' });
    expect((await client.closed).code).toBe(1002);
    const said: (string | undefined)[] = [];
    for (let item = await client.next(); item === 'beat' || 'command' in item; item = await client.next()) {
      if (item !== 'beat') said.push(item.header('receipt-id') ?? item.header('message'));
    }
    return said;
  }
});

describe('user destinations', () => {
  it('are the topic of the session at the broker, which the client sees under its own name', async () => {
    const client = await connected(one, 'alice');
    client.send('SUBSCRIBE', { id: '1', destination: '/user/topic/news', receipt: 'subscribed' });
    await client.frame('RECEIPT');
    expect(await post(one, { user: 'alice', destination: '/topic/news', body: 'hello' })).toBe(200);
    const message = await client.frame('MESSAGE');
    expect(message.header('destination')).toBe('/user/topic/news');
    expect(textOf(message)).toBe('hello');
  });

  it('carry the session id of the SockJS URL, so that it can be the same on every pod', async () => {
    const clients = [];
    for (const pod of [one, two]) {
      const client = await SockJsSocket.open(pod.sockJsUrl, 'stable', 'bob');
      expect(await client.next()).toBe('o');
      client.send('CONNECT', { 'accept-version': '1.2' });
      expect(await client.next()).toMatch(/^a\["CONNECTED/);
      client.send('SUBSCRIBE', { id: '1', destination: '/user/topic/news', receipt: 'subscribed' });
      expect(await client.next()).toMatch(/^a\["RECEIPT/);
      clients.push(client);
    }
    const publisher = await atBroker();
    publisher.send('SEND', { destination: '/topic/news-userstable' }, 'to the session');
    for (const client of clients) expect(await client.next()).toMatch(/^a\["MESSAGE.*to the session/);
  });

  it('are known on the other pod once the registries have been exchanged, and are reached from there', async () => {
    const client = await connected(one, 'carol');
    client.send('SUBSCRIBE', { id: '1', destination: '/user/topic/news', receipt: 'subscribed' });
    await client.frame('RECEIPT');
    const posted = () => post(two, { user: 'carol', destination: '/topic/news', body: 'from afar' });
    await expect.poll(posted, { timeout: REGISTRY_MAX_MS, interval: 200 }).toBe(200);
    expect(await client.bodies(1)).toEqual(['from afar']);
  });
});

describe('a connection to the broker that is reset', () => {
  it('is told to its client as ERROR and 1002, in words that speak of the pod', async () => {
    const fault = await tcpFault(broker.stompAddress);
    const [host = '', port = ''] = fault.address.split(':');
    const pod = await startPod('spring-3', { 'messaging.relay.host': host, 'messaging.relay.port': port });
    onTestFinished(() => pod.kill());
    const client = await connected(pod, 'alice');
    fault.reset();
    const error = await client.frame('ERROR');
    expect(error.header('message')).toMatch(/^(Transport failure: |Connection to broker closed\.)/);
    expect(isPodTrouble(error)).toBe(true);
    expect((await client.closed).code).toBe(1002);
  });
});

// Last, since it ends the broker.
describe('without its broker', () => {
  it('a pod tells its clients ERROR and 1002, is unready but alive, and comes back', async () => {
    const client = await connected(one, 'alice');
    await broker.kill();
    expect((await client.frame('ERROR')).header('message')).toBe('Connection to broker closed.');
    expect((await client.closed).code).toBe(1002);
    await expect.poll(() => one.probe('readiness'), { timeout: BROKER_BACK_MAX_MS }).toBe(503);
    expect(await one.probe('liveness')).toBe(200);
    const refused = await RawClient.open(one.url, { user: 'alice' });
    refused.send('CONNECT', { 'accept-version': '1.2' });
    expect((await refused.frame('ERROR')).header('message')).toBe('Broker not available.');
    expect((await refused.closed).code).toBe(1002);
    await broker.start();
    await expect.poll(() => one.probe('readiness'), { timeout: BROKER_BACK_MAX_MS }).toBe(200);
    await connected(one, 'alice');
  });
});
