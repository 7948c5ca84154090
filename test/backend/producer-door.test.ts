/** The HTTP side: producers, health, and the small REST resources. */
import { request } from 'node:http';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../backend/index.ts';
import { post, RawClient, started, textOf } from './tools.ts';

describe('POST /users/{user}/messages', () => {
  test('delivers to each session of the user, headers and octets kept', async () => {
    const backend = await started();
    const clients = [await RawClient.connect(backend.url, { user: 'zoë/a b' })];
    clients.push(
      await RawClient.connect(backend.url, { headers: { username: Buffer.from('zoë/a b').toString('latin1') } }),
    );
    for (const client of clients) await client.subscribe('/user/queue/x');
    const headers = {
      'content-type': 'text/x; a=b',
      'holdfast-id': 'id-1',
      'holdfast-seq': 'stream:7',
      other: 'not passed on',
    };
    const answer = await post(backend, 'zoë/a b', '/queue/x', 'hé\0llo', headers);
    expect(answer).toEqual({ status: 200, json: { status: 'delivered', pod: 'pod-1', sessions: clients.length } });
    for (const client of clients) {
      const message = await client.frame('MESSAGE');
      expect(textOf(message)).toBe('hé\0llo');
      expect(Object.fromEntries(message.headers())).toEqual({
        destination: '/user/queue/x',
        'message-id': message.header('message-id'),
        subscription: '/user/queue/x',
        'content-type': headers['content-type'],
        'holdfast-id': 'id-1',
        'holdfast-seq': 'stream:7',
        'content-length': '7',
      });
    }
  });

  test('what was answered 200 is on its way in that order, repeated ids too', async () => {
    const backend = await started();
    const client = await RawClient.connect(backend.url, { user: 'a' });
    await client.subscribe('/user/queue/x');
    for (let i = 0; i < 100; i++) {
      expect((await post(backend, 'a', '/queue/x', `${i}`, { 'holdfast-id': 'same' })).status).toBe(200);
    }
    expect(await client.bodies(100)).toEqual(Array.from({ length: 100 }, (_, i) => `${i}`));
  });

  test.each([
    ['nobody', '/queue/x'],
    ['alice', '/queue/y'],
    ['alice', '/user/queue/x'],
    ['Alice', '/queue/x'],
  ])('%s at %s: offline', async (user, destination) => {
    const backend = await started();
    const client = await RawClient.connect(backend.url, { user: 'alice' });
    await client.subscribe('/user/queue/x');
    await client.subscribe('/topic/queue/x');
    const answer = await post(backend, user, destination, 'x');
    expect(answer).toEqual({ status: 404, json: { status: 'offline', pod: 'pod-1' } });
  });

  test('a session that has left is offline at once', async () => {
    const backend = await started();
    const client = await RawClient.connect(backend.url, { user: 'alice' });
    await client.subscribe('/user/queue/x');
    client.send('UNSUBSCRIBE', { id: '/user/queue/x', receipt: 'r' });
    await client.frame('RECEIPT');
    expect((await post(backend, 'alice', '/queue/x', 'x')).status).toBe(404);
  });

  test.each([
    [65_535, 200],
    [65_536, 200],
    [65_537, 413],
  ])('a body of %i bytes: %i', async (bytes, status) => {
    const backend = await started();
    const client = await RawClient.connect(backend.url, { user: 'alice' });
    await client.subscribe('/user/queue/x');
    const answer = await post(backend, 'alice', '/queue/x', 'x'.repeat(bytes));
    expect(answer.status).toBe(status);
    if (status === 200) expect(textOf(await client.frame('MESSAGE')).length).toBe(bytes);
    else expect(answer.json).toMatchObject({ error: 'too-large', message: expect.stringContaining('65536') });
  });

  test('the connection lives on after a body that was far too large', async () => {
    const backend = await started();
    expect((await post(backend, 'alice', '/queue/x', 'x'.repeat(5_000_000))).status).toBe(413);
    expect((await post(backend, 'alice', '/queue/x', 'x')).status).toBe(404);
  });

  const over = 'x'.repeat(257);
  test.each([
    ['/users/alice/messages', {}, 400, 'bad-destination'],
    ['/users/alice/messages?destination=', {}, 400, 'bad-destination'],
    ['/users/alice/messages?destination=queue', {}, 400, 'bad-destination'],
    ['/users/alice/messages?destination=/', {}, 400, 'bad-destination'],
    ['/users/alice/messages?destination=/a%00', {}, 400, 'bad-destination'],
    ['/users/alice/messages?destination=/a%0Ab:c', {}, 400, 'bad-destination'],
    [`/users/alice/messages?destination=/${'x'.repeat(1024)}`, {}, 400, 'bad-destination'],
    ['/users/%ff/messages?destination=/a', {}, 400, 'bad-user'],
    ['/users/alice/messages?destination=/a', { 'holdfast-id': over }, 400, 'bad-header'],
    ['/users/alice/messages?destination=/a', { 'holdfast-id': ['1', '2'] }, 400, 'bad-header'],
    ['/users/alice/messages?destination=/a', { 'content-encoding': 'gzip' }, 415, 'unsupported-encoding'],
    ['/users//messages?destination=/a', {}, 404, 'not-found'],
    ['/users/a/b/messages?destination=/a', {}, 404, 'not-found'],
  ])('%s %j: %i %s', async (path, headers, status, error) => {
    const answer = await http(await started(), 'POST', path, headers, 'x');
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.body)).toEqual({ error, message: expect.stringMatching(/./) });
  });

  test('delayMs: the answer comes after the message was handed over', async () => {
    const backend = await started({ faults: { delayMs: 20 } });
    const client = await RawClient.connect(backend.url, { user: 'a' });
    await client.subscribe('/user/queue/x');
    const order: string[] = [];
    client.socket.on('message', () => order.push('message'));
    const answers = ['1', '2'].map((body) => post(backend, 'a', '/queue/x', body).then(() => order.push('answer')));
    await client.bodies(2);
    await Promise.all(answers);
    expect(order.filter((what) => what === 'message').length).toBe(2);
    expect(order[0]).toBe('message');
  });
});

describe('other resources', () => {
  test.each([
    ['GET', '/healthz', {}, 200, '{"status":"serving","pod":"pod-1"}'],
    ['GET', '/sessions', {}, 200, '{"pod":"pod-1","sessions":0,"connections":0}'],
    ['GET', '/whoami?x=1', { username: 'alice' }, 200, '{"pod":"pod-1","user":"alice"}'],
    ['GET', '/whoami', {}, 200, '{"pod":"pod-1","user":null}'],
    ['GET', '/whoami', { username: ['a', 'b'] }, 400, '"error":"bad-user"'],
    ['POST', '/echo', { 'content-type': 'text/x' }, 200, 'body'],
    ['GET', '/echo', {}, 405, '"error":"method-not-allowed"'],
    ['GET', '/users/a/messages?destination=/x', {}, 405, 'Use POST'],
    ['POST', '/healthz', {}, 405, 'Use GET'],
    ['GET', '/', {}, 404, '"error":"not-found"'],
    ['GET', '/constructor', {}, 404, '"error":"not-found"'],
  ])('%s %s %j: %i', async (method, path, headers, status, part) => {
    const answer = await http(await started(), method, path, headers, method === 'POST' ? 'body' : undefined);
    expect(answer.status).toBe(status);
    expect(answer.body).toContain(part);
    if (method === 'POST' && status === 200) expect(answer.type).toBe('text/x');
  });

  test('/sessions counts sessions, not links of producers', async () => {
    const backend = await started({ serviceUsers: ['billing'] });
    await RawClient.connect(backend.url, { user: 'alice' });
    await RawClient.connect(backend.url, { user: 'billing' });
    await RawClient.open(backend.url);
    const answer = await http(backend, 'GET', '/sessions');
    expect(JSON.parse(answer.body)).toEqual({ pod: 'pod-1', sessions: 1, connections: 3 });
    expect(backend.sessions()).toBe(1);
  });
});

test('deliver() refuses what no frame can carry', async () => {
  const backend = await started();
  expect(() => backend.deliver('a', '/queue/x', 'x', { bad: 'a\0b' })).toThrow(RangeError);
  expect(backend.deliver('a', '/queue/x', 'x', { good: 'a\nb' })).toBe(0);
});

interface Answer {
  readonly status: number;
  readonly type: string | undefined;
  readonly body: string;
}

/** Unlike fetch it sends a header twice when told to. */
async function http(
  { address }: Backend,
  method: string,
  path: string,
  headers: Record<string, string | string[]> = {},
  body?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(`http://${address}${path}`, { method, headers, agent: false }, async (response) => {
      const chunks = await response.toArray();
      const type = response.headers['content-type'];
      resolve({ status: response.statusCode ?? 0, type, body: Buffer.concat(chunks).toString() });
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
