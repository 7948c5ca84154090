import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import {
  createProducer,
  type Producer,
  ProducerError,
  type Result,
  type SendOptions,
  staticRing,
} from '../../producer/index.ts';
import type { Exchange } from '../../proxy/admin/index.ts';
import { createMessageDoor, type MessageDoorOptions } from '../../proxy/gateway/index.ts';
import { createMetrics } from '../../proxy/metrics.ts';
import { type AdminHarness, json, startAdmin } from '../admin/harness.ts';
import { DOWN, ScriptTransport } from '../producer/script-transport.ts';
import { VirtualClock } from '../producer/virtual-clock.ts';

interface Sent extends SendOptions {
  readonly user: string;
  readonly destination: string;
  readonly body: string;
}

const DELIVERED: Result = { status: 'delivered', pod: 'pod-1', id: 'id-1', attempts: 1 };

/** A producer that remembers what it was given and answers as a test wants. */
class FakeProducer implements Producer {
  readonly sent: Sent[] = [];
  readonly queued = 0;
  answer: () => Promise<Result> = async () => DELIVERED;

  async send(user: string, destination: string, body: string | Uint8Array, options: SendOptions = {}): Promise<Result> {
    this.sent.push({ ...options, user, destination, body: Buffer.from(body).toString() });
    return this.answer();
  }

  async close(): Promise<void> {}
}

import { closed } from '../producer/http-pod.ts';

let harness: (AdminHarness & { producer: FakeProducer; door: string; begun: () => number }) | undefined;
afterEach(async () => {
  await harness?.admin.close();
  harness = undefined;
});

async function gateway(options: Partial<MessageDoorOptions> = {}) {
  const producer = new FakeProducer();
  const metrics = createMetrics({ process: false });
  const door = createMessageDoor({ producer, metrics, maxBodyBytes: 100, maxInFlight: 10, ...options });
  let begun = 0;
  const routes = door.routes.map((route) => ({
    ...route,
    handle: (exchange: Exchange) => {
      begun += 1;
      return route.handle(exchange);
    },
  }));
  const admin = await startAdmin({ metrics, doors: [{ ...door, routes }] });
  const url = `${admin.url}/v1/users/alice/messages?destination=/queue/x`;
  harness = { ...admin, producer, door: url, begun: () => begun };
  return harness;
}

const post = (url: string, init: RequestInit = {}) => fetch(url, { method: 'POST', body: 'hello', ...init });

async function counted({ url }: { url: string }): Promise<Record<string, number>> {
  const text = await (await fetch(`${url}/metrics`)).text();
  const rows = [...text.matchAll(/^holdfast_gateway_messages_total\{status="(\w+)"\} ([1-9]\d*)$/gm)];
  return Object.fromEntries(rows.map(([, status, count]) => [status, Number(count)]));
}

describe('the message door', () => {
  test('hands the message to the producer, and its result to the sender', async () => {
    const { door, producer } = await gateway();
    const headers = { 'holdfast-id': 'id-1', 'holdfast-seq': 's:1', 'content-type': 'application/json' };
    expect(await json(await post(`${door}&ttl=500`, { headers }))).toEqual({ status: 200, body: DELIVERED });
    expect(producer.sent).toEqual([
      {
        user: 'alice',
        destination: '/queue/x',
        body: 'hello',
        id: 'id-1',
        seq: 's:1',
        contentType: 'application/json',
        ttlMs: 500,
      },
    ]);
  });

  test.each<[number, Result]>([
    [200, DELIVERED],
    [404, { status: 'offline', id: 'id-1', attempts: 9 }],
    [504, { status: 'expired', id: 'id-1', attempts: 9, reason: 'pod-1: ECONNREFUSED' }],
  ])('%i for %j', async (status, result) => {
    const world = await gateway();
    world.producer.answer = async () => result;
    expect(await json(await post(world.door))).toEqual({ status, body: result });
    expect(await counted(world)).toEqual({ [result.status]: 1 });
  });

  test.each([
    ['a%2Fb', 'a/b'],
    ['%2E%2E', '..'],
    ['%252F', '%2F'],
  ])('the user %s of the path is %s', async (segment, user) => {
    const { url, producer } = await gateway();
    const { hostname, port } = new URL(url);
    // As it is: fetch would walk up at %2E%2E.
    const path = `/v1/users/${segment}/messages?destination=/queue/x`;
    const request = httpRequest({ hostname, port, path, method: 'POST' });
    request.end();
    const [response] = await once(request, 'response');
    response.resume();
    expect([response.statusCode, producer.sent[0]?.user]).toEqual([200, user]);
  });

  test.each<[string, string, RegExp]>([
    ['no destination', '', /\?destination= is missing/],
    ['two destinations', '?destination=/a&destination=/b', /destination is given more than once/],
    ['an unknown word', '?destination=/a&tll=5', /takes destination and ttl, nothing else/],
    ['a ttl of words', '?destination=/a&ttl=soon', /ttl must be a whole number/],
    ['a ttl with a sign', '?destination=/a&ttl=-1', /ttl must be a whole number/],
  ])('%s: 400 that says what to do', async (_, query, message) => {
    const world = await gateway();
    const response = await json(await post(`${world.url}/v1/users/alice/messages${query}`));
    expect(response).toEqual({ status: 400, body: { error: 'bad-request', message: expect.stringMatching(message) } });
    expect([await counted(world), world.producer.sent]).toEqual([{ bad: 1 }, []]);
  });

  test.each<[ConstructorParameters<typeof ProducerError>[0], number, string, string]>([
    ['bad-message', 400, 'bad-request', 'bad'],
    ['refused', 502, 'refused', 'refused'],
    ['queue-full', 503, 'queue-full', 'busy'],
    ['closed', 503, 'shutting-down', 'busy'],
  ])('what the producer throws as %s is a %i', async (code, status, error, count) => {
    const world = await gateway();
    world.producer.answer = () => Promise.reject(new ProducerError(code, 'why'));
    const response = await post(world.door);
    expect(response.headers.get('retry-after')).toBe(status === 503 ? '1' : null);
    expect(await json(response)).toEqual({ status, body: { error, message: 'why' } });
    expect(await counted(world)).toEqual({ [count]: 1 });
  });

  test.each([
    [99, 200],
    [100, 200],
    [101, 413],
    [1_000_000, 413],
    [3_000_000, 413],
  ])('a body of %i bytes, with 100 allowed: %i', async (bytes, status) => {
    const world = await gateway();
    const stream = async function* () {
      yield Buffer.alloc(bytes);
    };
    for (const body of [Buffer.alloc(bytes), bytes <= 1_000_000 ? stream() : Buffer.alloc(bytes)]) {
      const response = await post(world.door, {
        body: body as RequestInit['body'] & object,
        duplex: 'half',
      } as RequestInit);
      expect(response.status).toBe(status);
      if (status === 413) expect(await response.json()).toMatchObject({ error: 'too-large' });
      else await response.json();
    }
    expect(world.producer.sent).toHaveLength(status === 200 ? 2 : 0);
  });

  test('a body that does not end is cut after what one may send too much', async () => {
    const world = await gateway();
    const { hostname, port } = new URL(world.url);
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {}).resume();
    socket.write('POST /v1/users/a/messages?destination=/x HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n');
    const cut = closed(socket);
    const more = () => {
      while (!socket.destroyed && socket.write(`10000\r\n${'x'.repeat(65_536)}\r\n`));
    };
    socket.on('drain', more);
    more();
    await cut;
    expect(socket.bytesWritten).toBeLessThan(16 * 1024 * 1024);
    expect(world.producer.sent).toEqual([]);
  });

  test('a compressed body is refused', async () => {
    const { door } = await gateway();
    expect(await json(await post(door, { headers: { 'content-encoding': 'gzip' } }))).toMatchObject({ status: 415 });
  });

  test('an id that is given twice is refused', async () => {
    const { url } = await gateway();
    const { hostname, port } = new URL(url);
    const headers = ['holdfast-id', 'a', 'holdfast-id', 'b', 'host', 'x'];
    const request = httpRequest({
      hostname,
      port,
      method: 'POST',
      path: '/v1/users/a/messages?destination=/x',
      headers,
    });
    request.end();
    const [response] = await once(request, 'response');
    response.resume();
    expect(response.statusCode).toBe(400);
  });

  test.each([
    [undefined, 401],
    ['Bearer wrong', 401],
    ['Bearer secre', 401],
    ['Bearer secret!', 401],
    ['Basic secret', 401],
    ['secret', 401],
    ['Bearer', 401],
    ['Bearer secret', 200],
    ['bearer  secret', 200],
  ])('with a token set, Authorization: %s is %i', async (authorization, status) => {
    const world = await gateway({ token: 'secret' });
    const response = await post(world.door, authorization === undefined ? {} : { headers: { authorization } });
    expect([response.status, response.headers.get('www-authenticate')]).toEqual([
      status,
      status === 401 ? 'Bearer' : null,
    ]);
    await response.json();
    expect(await counted(world)).toEqual(status === 401 ? { denied: 1 } : { delivered: 1 });
  });

  test('an empty token is a mistake, not an open door', () => {
    const metrics = createMetrics({ process: false });
    const options = { producer: new FakeProducer(), metrics, maxBodyBytes: 1, maxInFlight: 1, token: '' };
    expect(() => createMessageDoor(options)).toThrow(RangeError);
  });

  test.each([1, 2, 3])('%i messages in flight fit where that many may be, and no more', async (maxInFlight) => {
    const world = await gateway({ maxInFlight });
    const { promise, resolve } = Promise.withResolvers<Result>();
    const started = Array.from({ length: maxInFlight }, () => Promise.withResolvers<void>());
    world.producer.answer = () => {
      started[world.producer.sent.length - 1]?.resolve();
      return promise;
    };
    const waiting = started.map(() => post(world.door));
    await Promise.all(started.map((one) => one.promise));
    const turnedAway = await post(world.door);
    expect([turnedAway.status, turnedAway.headers.get('retry-after')]).toEqual([503, '1']);
    expect(await turnedAway.json()).toMatchObject({ error: 'busy' });
    resolve(DELIVERED);
    for (const response of await Promise.all(waiting)) expect((await json(response)).status).toBe(200);
    expect((await json(await post(world.door))).status).toBe(200);
  });

  test('a sender that goes away leaves its message on its way, and nothing behind', async () => {
    const world = await gateway({ maxInFlight: 1 });
    const started = Promise.withResolvers<void>();
    const { promise, resolve } = Promise.withResolvers<Result>();
    world.producer.answer = () => {
      started.resolve();
      return promise;
    };
    const abort = new AbortController();
    const sending = post(world.door, { signal: abort.signal });
    await started.promise;
    abort.abort();
    await expect(sending).rejects.toThrow();
    resolve(DELIVERED);
    await promise;
    world.producer.answer = async () => DELIVERED;
    expect((await json(await post(world.door))).status).toBe(200);
    expect(await counted(world)).toEqual({ delivered: 2 });
    expect(world.logged).toEqual([]);
  });

  test('a sender that goes away in the middle of its body has sent nothing', async () => {
    const world = await gateway();
    const sender = await raw(world.url, 50);
    sender.end('half');
    await closed(sender);
    while ((await counted(world))['bad'] !== 1);
    expect([world.producer.sent, world.logged]).toEqual([[], []]);
  });

  test('a body that is announced as too large is refused before it comes', async () => {
    const world = await gateway();
    const sender = await raw(world.url, 101);
    const [answer] = await once(sender, 'data');
    expect(`${answer}`).toMatch(/^HTTP\/1.1 413 /);
  });

  test('messages whose bodies come at the same time are counted as they come', async () => {
    const world = await gateway({ maxInFlight: 1 });
    world.producer.answer = () => new Promise(() => {});
    const senders = [await raw(world.url, 5), await raw(world.url, 5)];
    const answers = senders.map((sender) => once(sender, 'data'));
    while (world.begun() < 2) await new Promise((resolve) => setImmediate(resolve));
    for (const sender of senders) sender.write('hello');
    const [answer] = await Promise.race(answers);
    expect(`${answer}`).toMatch(/^HTTP\/1.1 503 /);
    expect(world.producer.sent).toHaveLength(1);
  });
});

/** A POST of which the head is sent and the body is not. */
async function raw(url: string, contentLength: number): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  await once(socket, 'connect');
  const head = `POST /v1/users/a/messages?destination=/x HTTP/1.1\r\nhost: x\r\ncontent-length: ${contentLength}\r\n\r\n`;
  await new Promise((resolve) => socket.write(head, resolve));
  return socket.resume();
}

test('with the real producer: its bounds and results are those of the door', async () => {
  const clock = new VirtualClock();
  const transport = new ScriptTransport(clock, () => DOWN);
  const ring = staticRing([{ name: 'pod-1', address: 'pod-1:80' }]);
  const producer = createProducer({ ring, transport, clock, maxQueuedPerLane: 1, random: () => 0.5 });
  const { url, door } = await gateway({ producer });
  const first = post(`${door}&ttl=100`);
  while (transport.calls.length === 0) await new Promise((resolve) => setImmediate(resolve));
  expect(await json(await post(door))).toMatchObject({ status: 503, body: { error: 'queue-full' } });
  expect(await json(await post(`${door}&ttl=60001`))).toMatchObject({
    status: 400,
    body: { message: expect.stringMatching(/ttl must be/) },
  });
  expect(await json(await post(`${url}/v1/users/a/messages?destination=x`))).toMatchObject({ status: 400 });
  await clock.advance(100);
  expect(await json(await first)).toMatchObject({
    status: 504,
    body: { status: 'expired', reason: 'pod-1: ECONNREFUSED' },
  });
  await producer.close();
  expect(await json(await post(door))).toMatchObject({ status: 503, body: { error: 'shutting-down' } });
});
