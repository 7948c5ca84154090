/**
 * What a Spring Boot application with the simple broker does on the wire, as far as Holdfast relies on it or has to live with
 * it. docs/backends/spring.md says it in words.
 */
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { WebSocket } from 'ws';
import { BUILD_MAX_MS, SPRING_BOOT_3 } from './maven.ts';
import { SockJsSocket } from './sockjs-socket.ts';
import { connected, echo, listening, post, RawClient, subscribe, textOf } from './spring-client.ts';
import { SpringPod } from './spring-pod.ts';

/** The order of frames is what lets an echo prove something: see spring-client.ts. */
const PROPERTIES = { 'messaging.producer-header-prefix': 'holdfast-', 'messaging.preserve-receive-order': 'true' };

/** The lines of Spring Boot: 4, which is the default, and 3. */
describe.each([
  ['Spring Boot 4', undefined],
  ['Spring Boot 3', SPRING_BOOT_3],
])('%s', (_, bootVersion) => {
  let pod: SpringPod;

  beforeAll(async () => {
    pod = await SpringPod.start({ name: 'spring-1', bootVersion, properties: PROPERTIES });
  }, BUILD_MAX_MS);

  afterAll(() => pod?.kill());

  describe('CONNECTED', () => {
    it('has neither server nor session, names the user, and announces the heart-beats of the server whatever was asked', async () => {
      const client = await RawClient.open(pod.url, { user: 'alice' });
      client.send('CONNECT', { 'accept-version': '1.1,1.2', 'heart-beat': '5500,300' });
      const frame = await client.frame('CONNECTED');
      expect([...frame.headers()]).toEqual([
        ['version', '1.2'],
        ['heart-beat', '10000,10000'],
        ['user-name', 'alice'],
      ]);
    });

    it('does not trim a version after a comma and a blank', async () => {
      const client = await RawClient.open(pod.url);
      client.send('CONNECT', { 'accept-version': '1.1, 1.2' });
      expect((await client.frame('CONNECTED')).header('version')).toBe('1.1');
    });

    it('is refused by ERROR and 1002 for a heart-beat with a blank', async () => {
      const client = await RawClient.open(pod.url);
      client.send('CONNECT', { 'accept-version': '1.2', 'heart-beat': '1000, 1000' });
      await client.frame('ERROR');
      expect((await client.closed).code).toBe(1002);
    });
  });

  describe('receipts', () => {
    it('come for DISCONNECT only', async () => {
      const client = await connected(pod, 'alice');
      client.send('SUBSCRIBE', { id: 'e', destination: '/user/queue/echo', receipt: 'subscribe' });
      client.send('SEND', { destination: '/app/echo', receipt: 'send' }, 'first');
      expect(await client.bodies(1)).toEqual(['first']);
      client.send('UNSUBSCRIBE', { id: 'e', receipt: 'unsubscribe' });
      client.send('DISCONNECT', { receipt: 'disconnect' });
      expect((await client.frame('RECEIPT')).header('receipt-id')).toBe('disconnect');
    });

    it('of DISCONNECT do not end the WebSocket', async () => {
      const client = await connected(pod, 'alice');
      client.send('DISCONNECT', { receipt: 'disconnect' });
      await client.frame('RECEIPT');
      client.socket.ping();
      await once(client.socket, 'pong');
      expect(client.socket.readyState).toBe(WebSocket.OPEN);
    });

    it('not asked for on DISCONNECT make it an ERROR and close 1002', async () => {
      const client = await connected(pod, 'alice');
      client.send('DISCONNECT');
      expect((await client.frame('ERROR')).header('message')).toBe('Session closed.');
      expect((await client.closed).code).toBe(1002);
    });
  });

  describe('ERROR', () => {
    it.each([
      ['a frame before CONNECT', 'SUBSCRIBE', { id: '1', destination: '/topic/x' }],
      ['an unknown command', 'FLY', {}],
    ])('and close 1002 for %s; without receipt-id', async (_what, command, headers) => {
      const client = await RawClient.open(pod.url);
      client.send(command, { ...headers, receipt: 'r' });
      const error = await client.frame('ERROR');
      expect(error.header('receipt-id')).toBeUndefined();
      expect((await client.closed).code).toBe(1002);
    });

    it('and close 1002 for a second CONNECT', async () => {
      const client = await connected(pod, 'alice');
      client.send('CONNECT', { 'accept-version': '1.2' });
      // ERROR and the close come from threads of their own: mostly in this order.
      expect((await client.closed).code).toBe(1002);
    });
  });

  describe('subscriptions', () => {
    it('of one id are one: the broker keeps the first, the registry of users believes the last', async () => {
      const client = await listening(pod, 'twice', '/user/queue/a');
      client.send('SUBSCRIBE', { id: '/user/queue/a', destination: '/user/queue/b' });
      await echo(client, 'done');
      expect(await post(pod, { user: 'twice', destination: '/queue/b', body: 'never' })).toBe(200);
      expect(await post(pod, { user: 'twice', destination: '/queue/a', body: 'neither' })).toBe(404);
      await echo(client, 'nothing before this');
    });

    // A bug of Spring Framework 6.2 and 7.0 (OrderedMessageChannelDecorator: "Expected mutable SimpMessageHeaderAccessor").
    it('of several sessions of a user: only the first gets a message for the user while receive order is preserved', async () => {
      const clients = [await listening(pod, 'many', '/user/queue/n'), await listening(pod, 'many', '/user/queue/n')];
      expect(await post(pod, { user: 'many', destination: '/queue/n', body: 'all' })).toBe(200);
      const reached = await Promise.race(clients.map(async (client, n) => [n, await client.bodies(1)]));
      const other = clients[1 - Number(reached[0])] as RawClient;
      await echo(other, 'nothing before this');
    });

    it('of an application destination are answered once', async () => {
      const client = await connected(pod, 'alice');
      subscribe(client, '/app/state');
      expect(JSON.parse(textOf(await client.frame('MESSAGE')))).toEqual({ user: 'alice', instance: 'spring-1' });
    });
  });

  describe('MESSAGE', () => {
    it('has an id made of the session and a number, and no ack header', async () => {
      const client = await listening(pod, 'reader', '/user/queue/news');
      const headers = { 'content-type': 'text/plain', 'holdfast-id': 'm-1', 'holdfast-seq': 's:1' };
      expect(await post(pod, { user: 'reader', destination: '/queue/news', body: 'hello', headers })).toBe(200);
      const frame = await client.frame('MESSAGE');
      expect(Object.fromEntries(frame.headers())).toEqual({
        ...headers,
        destination: '/user/queue/news',
        subscription: '/user/queue/news',
        'message-id': expect.stringMatching(/^[0-9a-f-]{36}-\d+$/),
        'content-length': '5',
      });
    });

    it.each([
      ['text', 'text/plain', false],
      ['binary', 'application/octet-stream', true],
    ])('is a %s WebSocket message for %s', async (_kind, type, expected) => {
      const client = await listening(pod, `reads-${_kind}`, '/user/queue/news');
      const message = once(client.socket, 'message') as Promise<[Buffer, boolean]>;
      const body = new Uint8Array([104, 105]);
      await post(pod, { user: `reads-${_kind}`, destination: '/queue/news', body, headers: { 'content-type': type } });
      expect((await message)[1]).toBe(expected);
    });
  });

  describe('the producer’s door', () => {
    it('says 404 for a user without a session, and for one who does not listen to the destination', async () => {
      const message = { destination: '/queue/orders', body: 'hello' };
      expect(await post(pod, { ...message, user: 'nobody' })).toBe(404);
      await listening(pod, 'reader', '/user/queue/news');
      expect(await post(pod, { ...message, user: 'reader' })).toBe(404);
    });

    it('refuses a user with a slash in the path, and takes one in the query', async () => {
      const message = { user: 'a/b', destination: '/queue/news', body: 'hello' };
      const client = await listening(pod, message.user, '/user/queue/news');
      expect(await post(pod, message)).toBe(400);
      const query = new URLSearchParams({ user: message.user, destination: message.destination });
      const response = await fetch(`http://${pod.address}/api/messages?${query}`, {
        method: 'POST',
        body: message.body,
      });
      expect(response.status).toBe(200);
      expect(await client.bodies(1)).toEqual(['hello']);
    });

    it('forgets a user when the last WebSocket is gone', async () => {
      const client = await listening(pod, 'leaver', '/user/queue/news');
      const message = { user: 'leaver', destination: '/queue/news', body: 'hello' };
      expect(await post(pod, message)).toBe(200);
      client.socket.close();
      await client.closed;
      await expect.poll(() => post(pod, message), { timeout: 10_000 }).toBe(404);
    });
  });

  describe('sizes', () => {
    // Spring asks the container for 16 KiB + 256 of text, and leaves its 8 KiB for binary messages as they are.
    it.each([
      ['text', false, 16_640],
      ['binary', true, 8192],
    ])(
      'a %s WebSocket message has at most its buffer: one byte more is 1009, or a reset',
      async (_kind, binary, max) => {
        const client = await listening(pod, 'alice');
        client.socket.send(sendOfSize(max), { binary });
        expect((await client.bodies(1))[0]).toHaveLength(max - sendOfSize(0).length);
        // On a connection of its own: Tomcat 10 looks at the last byte only when the next one comes, if the buffer was full before.
        const another = await listening(pod, 'alice');
        another.socket.send(sendOfSize(max + 1), { binary });
        // Tomcat closes with octets unread: the reset that follows may overtake its close frame.
        expect([1009, 1006]).toContain((await another.closed).code);
      },
    );

    it('a frame in several messages may be 64 KiB long; a byte more is ERROR and 1002', async () => {
      const client = await listening(pod, 'alice');
      for (const part of inParts(sendOfSize(64 * 1024))) client.socket.send(part, { binary: false });
      await client.bodies(1);
      for (const part of inParts(sendOfSize(64 * 1024 + 1))) client.socket.send(part, { binary: false });
      await client.frame('ERROR');
      expect((await client.closed).code).toBe(1002);
    });
  });

  describe('the endpoint', () => {
    it('answers an upgrade of the SockJS path itself with 400', async () => {
      expect(await statusOfUpgrade(`ws://${pod.address}/ws`)).toBe(400);
    });

    it('answers an upgrade from a foreign origin with 403', async () => {
      expect(await statusOfUpgrade(pod.url, 'https://evil.example')).toBe(403);
    });

    it('takes the first subprotocol of the client that it knows', async () => {
      const client = await RawClient.open(pod.url, { protocols: ['v10.stomp', 'v12.stomp'] });
      expect(client.socket.protocol).toBe('v10.stomp');
    });

    it('says what SockJS clients ask first', async () => {
      const info = await (await fetch(`${pod.sockJsUrl}/info`)).json();
      expect(info).toEqual({
        entropy: expect.any(Number),
        origins: ['*:*'],
        cookie_needed: true,
        websocket: true,
      });
    });

    it('takes the session id of the SockJS URL as its own', async () => {
      const client = await SockJsSocket.open(pod.sockJsUrl, 'chosen-id', 'alice');
      expect(await client.next()).toBe('o');
      client.send('CONNECT', { 'accept-version': '1.2' });
      expect(await client.next()).toMatch(/^a\["CONNECTED/);
      client.send('SUBSCRIBE', { id: '1', destination: '/user/queue/echo' });
      client.send('SEND', { destination: '/app/echo' }, 'hello');
      expect(await client.next()).toMatch(/message-id:chosen-id-\d+/);
    });
  });
});

describe.each([
  ['Spring Boot 4', undefined],
  ['Spring Boot 3', SPRING_BOOT_3],
])('the end of a pod of %s', (_, bootVersion) => {
  const start = async () => {
    const pod = await SpringPod.start({ name: 'spring-1', host: '127.0.0.2', bootVersion });
    onTestFinished(() => pod.kill());
    return pod;
  };

  it(
    'by SIGTERM cuts WebSockets without a close frame',
    async () => {
      const pod = await start();
      const raw = await connected(pod, 'alice');
      const sockJs = await SockJsSocket.open(pod.sockJsUrl, '1', 'alice');
      expect(await sockJs.next()).toBe('o');
      const sockJsClosed = once(sockJs.socket, 'close');
      const exit = await pod.stop();
      expect(await raw.closed).toEqual({ code: 1006, reason: '' });
      expect((await sockJsClosed)[0]).toBe(1006);
      expect(sockJs.rest).toEqual([]);
      expect(exit).toEqual({ code: 143, signal: null });
    },
    BUILD_MAX_MS,
  );

  it('by SIGKILL cuts them as well', async () => {
    const pod = await start();
    const client = await connected(pod, 'alice');
    await pod.kill();
    expect((await client.closed).code).toBe(1006);
  });
});

describe('as it is set up by default', () => {
  let pod: SpringPod;

  beforeAll(async () => {
    pod = await SpringPod.start({ name: 'spring-1', properties: { 'messaging.heartbeat': '0s' } });
  }, BUILD_MAX_MS);

  afterAll(() => pod?.kill());

  it('a broker without a scheduler announces no heart-beats', async () => {
    const client = await RawClient.open(pod.url);
    client.send('CONNECT', { 'accept-version': '1.2', 'heart-beat': '2000,2000' });
    expect((await client.frame('CONNECTED')).header('heart-beat')).toBe('0,0');
  });

  it('all sessions of a user get a message for the user', async () => {
    const reached = new Set<RawClient>();
    for (const client of [await connected(pod, 'many'), await connected(pod, 'many')]) {
      subscribe(client, '/user/queue/n');
      client.socket.on('message', () => reached.add(client));
    }
    // When subscriptions are live cannot be known, so it is asked again.
    const reachedByAnother = async () => {
      await post(pod, { user: 'many', destination: '/queue/n', body: 'all' });
      return reached.size;
    };
    await expect.poll(reachedByAnother, { timeout: 10_000 }).toBe(2);
  });
});

/** A SEND to the echo whose bytes are so many in all; at 0: of an empty body. */
function sendOfSize(bytes: number): string {
  const empty = 'SEND\ndestination:/app/echo\n\n\0';
  return empty.replace('\0', `${'x'.repeat(Math.max(0, bytes - empty.length))}\0`);
}

function inParts(text: string): string[] {
  return text.match(/.{1,8000}/gs) ?? [];
}

async function statusOfUpgrade(url: string, origin?: string): Promise<number | undefined> {
  const socket = new WebSocket(url, origin === undefined ? {} : { origin });
  const [request, response] = await once(socket, 'unexpected-response');
  request.destroy();
  return response.statusCode;
}
