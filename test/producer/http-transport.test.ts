import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { type HttpTransportOptions, httpTransport, meaningOf } from '../../producer/http-transport.ts';
import type { Message, PodAddress, Transport } from '../../producer/transport.ts';
import { type Answer, closed, HttpPod, status } from './http-pod.ts';
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
    const { transport, clock } = transportOf();
    const result = transport.post(pod.pod, MESSAGE, 1000);
    await asked.promise;
    await transport.close();
    expect(await result).toEqual({ unreachable: 'the transport was closed', ambiguous: true });
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toEqual({
      unreachable: 'the transport is closed',
      ambiguous: false,
    });
    expect(clock.pendingTimers).toBe(0);
  });

  test('a template that is wrong is an error at once', () => {
    expect(() => httpTransport({ url: 'http://{address}/{usr}' })).toThrow(TypeError);
  });
});
