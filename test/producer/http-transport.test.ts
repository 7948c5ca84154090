import { once } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type HttpTransportOptions, httpTransport, meaningOf } from '../../producer/http-transport.ts';
import type { Message, PodAddress, Transport } from '../../producer/transport.ts';
import { makeAuthority } from '../discovery/fake-api/index.ts';
import { type Answer, closed, HttpPod, listening, status } from './http-pod.ts';
import { VirtualClock } from './virtual-clock.ts';

const MESSAGE: Message = {
  user: 'al/ice',
  destination: '/queue/x',
  body: Buffer.from('{"price":1}'),
  id: 'id-1',
  seq: 's:1',
  contentType: 'application/json',
  headers: { 'x-trace': 't1' },
};

const ended: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ended.splice(0).reverse()) await end();
});

async function podOf(answer: Answer): Promise<HttpPod> {
  const pod = await HttpPod.start('pod-1', answer);
  ended.push(() => pod.close());
  return pod;
}

function transportOf(options: HttpTransportOptions = {}): { transport: Transport; clock: VirtualClock } {
  const clock = new VirtualClock();
  const transport = httpTransport({ clock, ...options });
  ended.push(() => transport.close());
  return { transport, clock };
}

/** A TCP server that does with a connection what a test wants. */
async function rawPod(onConnection: (socket: Socket) => void): Promise<PodAddress> {
  const server = createServer(onConnection).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const sockets = new Set<Socket>();
  server.on('connection', (socket) => sockets.add(socket));
  ended.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('not listening');
  return { name: 'pod-1', address: `127.0.0.1:${address.port}` };
}

describe('what a status means', () => {
  const unsure = (code: number, ambiguous: boolean) => ({ unreachable: `status ${code}`, ambiguous });
  test.each([
    [200, 'delivered'],
    [202, 'delivered'],
    [204, 'delivered'],
    [404, 'no-session'],
    [421, 'no-session'],
    [301, { refused: 'status 301' }],
    [400, { refused: 'status 400' }],
    [401, { refused: 'status 401' }],
    [413, { refused: 'status 413' }],
    [408, unsure(408, false)],
    [425, unsure(425, false)],
    [429, unsure(429, false)],
    [503, unsure(503, false)],
    [500, unsure(500, true)],
    [502, unsure(502, true)],
    [504, unsure(504, true)],
  ])('%i', (code, meaning) => expect(meaningOf(code)).toEqual(meaning));
});

describe('HTTP transport', () => {
  test('posts the body with the identity of the message', async () => {
    const pod = await podOf(status(200));
    const { transport, clock } = transportOf({ headers: { authorization: 'Bearer t' } });
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toBe('delivered');
    expect(pod.seen[0]).toMatchObject({
      method: 'POST',
      url: '/users/al%2Fice/messages?destination=%2Fqueue%2Fx',
      body: '{"price":1}',
      headers: {
        host: pod.pod.address,
        authorization: 'Bearer t',
        'content-type': 'application/json',
        'content-length': '11',
        'holdfast-id': 'id-1',
        'holdfast-seq': 's:1',
        'x-trace': 't1',
      },
    });
    expect(clock.pendingTimers).toBe(0);
  });

  test('says what the pod said, over one connection', async () => {
    const pod = await podOf((seen, response) => status(Number(seen.headers['x-trace']))(seen, response));
    const { transport } = transportOf({ maxSocketsPerPod: 1 });
    const ask = (code: number) => transport.post(pod.pod, { ...MESSAGE, headers: { 'x-trace': `${code}` } }, 1000);
    expect(await ask(404)).toBe('no-session');
    expect(await ask(503)).toEqual({ unreachable: 'status 503', ambiguous: false });
    expect(await ask(413)).toEqual({ refused: 'status 413' });
    expect(new Set(pod.seen.map(({ socket }) => socket)).size).toBe(1);
  });

  test('a connection that is refused is certain: nobody has the message', async () => {
    const pod = await podOf(status(200));
    await pod.close();
    const { transport, clock } = transportOf();
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toEqual({ unreachable: 'ECONNREFUSED', ambiguous: false });
    expect(clock.pendingTimers).toBe(0);
  });

  test('a reset after the request was written is ambiguous', async () => {
    const pod = await podOf(({ socket }) => socket.resetAndDestroy());
    const { transport } = transportOf();
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toEqual({ unreachable: 'ECONNRESET', ambiguous: true });
  });

  test('so is a connection that ends without an answer', async () => {
    const pod = await rawPod((socket) => socket.once('data', () => socket.end()));
    const { transport } = transportOf();
    expect(await transport.post(pod, MESSAGE, 1000)).toMatchObject({ ambiguous: true });
  });

  test('a pod that does not answer in time is left at the deadline, ambiguous, and its connection is cut', async () => {
    const asked = Promise.withResolvers<Socket>();
    const pod = await podOf(({ socket }) => asked.resolve(socket));
    const { transport, clock } = transportOf();
    const result = transport.post(pod.pod, MESSAGE, 1000);
    const socket = await asked.promise;
    const cut = closed(socket);
    await clock.advance(999);
    await clock.advance(1);
    expect(await result).toEqual({ unreachable: 'no answer in time', ambiguous: true });
    await cut;
  });

  test('a request that waits for a free connection till its deadline has not left', async () => {
    const asked = Promise.withResolvers<void>();
    const pod = await podOf(() => asked.resolve());
    const { transport, clock } = transportOf({ maxSocketsPerPod: 1 });
    const first = transport.post(pod.pod, MESSAGE, 2000);
    await asked.promise;
    const second = transport.post(pod.pod, MESSAGE, 1000);
    await clock.advance(1000);
    expect(await second).toEqual({ unreachable: 'no answer in time', ambiguous: false });
    await clock.advance(1000);
    expect(await first).toMatchObject({ ambiguous: true });
    expect(pod.seen).toHaveLength(1);
  });

  test('the status line decides, even when the rest of the answer is cut off', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{';
    const pod = await rawPod((socket) => socket.once('data', () => socket.write(head, () => socket.destroy())));
    const { transport } = transportOf();
    expect(await transport.post(pod, MESSAGE, 1000)).toBe('delivered');
  });

  test('an answer that does not end is not read to its end', async () => {
    const pod = await podOf((_, response) => {
      const more = () => {
        while (response.write('x'.repeat(16_384)));
        response.once('drain', more);
      };
      more();
    });
    const { transport } = transportOf();
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toBe('delivered');
  });

  test('no HTTP from the pod is ambiguous', async () => {
    const pod = await rawPod((socket) => socket.once('data', () => socket.write('SSH-2.0\r\n')));
    const { transport } = transportOf();
    expect(await transport.post(pod, MESSAGE, 1000)).toMatchObject({ ambiguous: true });
  });

  test('a user who cannot stand in the URL is refused, without a request', async () => {
    const pod = await podOf(status(200));
    const { transport } = transportOf();
    expect(await transport.post(pod.pod, { ...MESSAGE, user: '..' }, 1000)).toEqual({
      refused: expect.stringMatching(/dot segment/),
    });
    expect(pod.seen).toEqual([]);
  });

  test('closing ends what is open', async () => {
    const asked = Promise.withResolvers<void>();
    const pod = await podOf(() => asked.resolve());
    const { transport, clock } = transportOf({ maxSocketsPerPod: 1 });
    const result = transport.post(pod.pod, MESSAGE, 1000);
    const waiting = transport.post(pod.pod, MESSAGE, 1000);
    await asked.promise;
    await transport.close();
    expect(await result).toEqual({ unreachable: 'the transport was closed', ambiguous: true });
    expect(await waiting).toEqual({ unreachable: 'the transport was closed', ambiguous: false });
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toEqual({
      unreachable: 'the transport is closed',
      ambiguous: false,
    });
    expect(clock.pendingTimers).toBe(0);
  });

  test('a template that is wrong is an error at once', () => {
    expect(() => httpTransport({ url: 'http://{address}/{usr}' })).toThrow(TypeError);
  });

  test('headers of all requests: those of a message and the own ones go before; what frames a request is an error', async () => {
    const pod = await podOf(status(200));
    const { transport } = transportOf({
      headers: { 'X-Trace': 'all', 'Holdfast-Id': 'all', 'Content-Type': 'all', 'X-All': 'all' },
    });
    await transport.post(pod.pod, MESSAGE, 1000);
    expect(pod.seen[0]?.headers).toMatchObject({
      ...{ 'x-trace': 't1', 'holdfast-id': 'id-1', 'content-type': 'application/json', 'x-all': 'all' },
    });
    expect(() => httpTransport({ headers: { 'Content-Length': '1' } })).toThrow(
      /content-length is set by the transport/,
    );
  });

  test.each([1, 2, 3])('of %i requests at once two have a connection, the next waits for one', async (count) => {
    const answers: (() => void)[] = [];
    const pod = await podOf((seen, response) => void answers.push(() => status(200)(seen, response)));
    const { transport } = transportOf({ maxSocketsPerPod: 2 });
    const results = Array.from({ length: count }, () => transport.post(pod.pod, MESSAGE, 1000));
    const atOnce = Math.min(count, 2);
    await expect.poll(() => answers.length).toBe(atOnce);
    for (let answered = 0; answered < count; answered++) {
      await expect.poll(() => answers.length).toBeGreaterThan(answered);
      expect(answers.length - answered).toBeLessThanOrEqual(2);
      answers[answered]?.();
    }
    expect(await Promise.all(results)).toEqual(results.map(() => 'delivered'));
    expect(new Set(pod.seen.map(({ socket }) => socket)).size).toBe(atOnce);
  });

  test('one that was given up while it waited is not sent, and those behind it are', async () => {
    const first = Promise.withResolvers<() => void>();
    const pod = await podOf((seen, response) => first.resolve(() => status(200)(seen, response)));
    const { transport, clock } = transportOf({ maxSocketsPerPod: 1 });
    const sent = (id: string, deadline: number) => transport.post(pod.pod, { ...MESSAGE, id }, deadline);
    const results = [sent('1', 2000), sent('2', 1000), sent('3', 2000)];
    const answer = await first.promise;
    await clock.advance(1000);
    pod.answer = status(200);
    answer();
    expect(await Promise.all(results)).toEqual([
      'delivered',
      { unreachable: 'no answer in time', ambiguous: false },
      'delivered',
    ]);
    expect(pod.seen.map(({ headers }) => headers['holdfast-id'])).toEqual(['1', '3']);
    expect(new Set(pod.seen.map(({ socket }) => socket)).size).toBe(1);
  });

  test('a connection that the pod has closed in the meantime costs no message', async () => {
    const pod = await podOf(status(200));
    const { transport } = transportOf();
    for (let i = 0; i < 3; i++) {
      expect(await transport.post(pod.pod, MESSAGE, 1000)).toBe('delivered');
      const { socket } = pod.seen[i] ?? {};
      const gone = socket && closed(socket);
      socket?.end();
      await gone;
    }
    expect(new Set(pod.seen.map(({ socket }) => socket)).size).toBe(3);
  });

  test('what is said before the answer is none', async () => {
    const early = 'HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n';
    const pod = await rawPod((socket) =>
      socket.once('data', () => socket.write(`${early}HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n`)),
    );
    const cut = await rawPod((socket) => socket.once('data', () => socket.end(early)));
    const { transport } = transportOf();
    expect(await transport.post(pod, MESSAGE, 1000)).toBe('no-session');
    expect(await transport.post(cut, MESSAGE, 1000)).toMatchObject({ ambiguous: true });
  });

  test('over TLS, with an authority and a name of its own', async () => {
    const authority = makeAuthority();
    const { certPem: cert, keyPem: key } = authority.issue();
    const names: unknown[] = [];
    const server = createTlsServer({ cert, key }, (request, response) => {
      names.push((request.socket as unknown as { servername: unknown }).servername);
      request.resume().once('end', () => response.end());
    });
    const { address, close } = await listening(server);
    ended.push(close);
    const url = 'https://{address}/{user}?d={destination}';
    const pod = { name: 'pod-1', address };
    const { transport } = transportOf({ url, tls: { ca: authority.caPem, servername: 'localhost' } });
    expect(await transport.post(pod, MESSAGE, 1000)).toBe('delivered');
    expect(names).toEqual(['localhost']);
    const { transport: stranger } = transportOf({ url });
    expect(await stranger.post(pod, MESSAGE, 1000)).toMatchObject({ ambiguous: false });
    expect(names).toHaveLength(1);
  });

  test('a pod that lets nobody connect is left at the deadline, and given up soon after', async () => {
    const connected = Promise.withResolvers<Socket>();
    // To be connected by TLS takes an answer.
    const pod = await rawPod((socket) => connected.resolve(socket.resume()));
    const { transport, clock } = transportOf({ url: 'https://{address}/{user}?d={destination}', maxSocketsPerPod: 1 });
    const results = [transport.post(pod, MESSAGE, 1000), transport.post(pod, MESSAGE, 1000)];
    const gone = closed(await connected.promise);
    await clock.advance(1000);
    expect(await Promise.all(results)).toEqual(
      results.map(() => ({ unreachable: 'no answer in time', ambiguous: false })),
    );
    await gone;
    // Sooner than the client's own 10 s.
  }, 9_000);
});
