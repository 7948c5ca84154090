/** Draining, stopping, dying, and the faults that need real sockets. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { post, RawClient, started } from './tools.ts';

const health = async (address: string) => (await fetch(`http://${address}/healthz`)).status;
const refused = (address: string) =>
  fetch(`http://${address}/healthz`).then(
    () => false,
    () => true,
  );

describe('drain', () => {
  test('serves on as before, new sessions too, until the last has left', async () => {
    const backend = await started({ serviceUsers: ['billing'] });
    const old = await RawClient.connect(backend.url, { user: 'old' });
    const service = await RawClient.connect(backend.url, { user: 'billing' });
    await old.subscribe('/user/queue/x');
    const drained = backend.drain();
    expect(await health(backend.address)).toBe(503);
    expect((await post(backend, 'old', '/queue/x', 'still served')).status).toBe(200);
    expect(await old.bodies(1)).toEqual(['still served']);
    const late = await RawClient.connect(backend.url, { user: 'late' });
    old.send('DISCONNECT');
    await old.closed;
    await late.subscribe('/user/queue/x');
    expect((await post(backend, 'late', '/queue/x', 'x')).status).toBe(200);
    late.socket.close();
    await drained;
    expect((await service.closed).code).toBe(1001);
    expect(await refused(backend.address)).toBe(true);
  });

  test('past the grace closes who is left with 1001', async () => {
    const backend = await started({ drainGraceMs: 20 });
    const client = await RawClient.connect(backend.url);
    await backend.drain();
    expect(await client.closed).toEqual({ code: 1001, reason: 'shutting down' });
  });

  test('without sessions ends at once; asked twice it is one drain', async () => {
    const backend = await started();
    await Promise.all([backend.drain(), backend.drain()]);
    expect(await refused(backend.address)).toBe(true);
  });

  test('is cut short by stop and by kill', async () => {
    for (const end of ['stop', 'kill'] as const) {
      const backend = await started();
      const client = await RawClient.connect(backend.url);
      const drained = backend.drain();
      await backend[end]();
      await drained;
      expect((await client.closed).code).toBe(end === 'stop' ? 1001 : 1006);
    }
  });
});

describe('stop', () => {
  test('hands over what a delay still held', async () => {
    const backend = await started({ faults: { delayMs: 60_000 } });
    const client = await RawClient.connect(backend.url, { user: 'a' });
    await client.subscribe('/user/queue/x');
    await client.subscribe('/user/queue/echo');
    client.send('SEND', { destination: '/app/echo' }, 'one');
    client.send('UNSUBSCRIBE', { id: '/user/queue/x', receipt: 'arrived' });
    await client.frame('RECEIPT');
    await backend.stop();
    expect(await client.bodies(1)).toEqual(['one']);
  });

  test.each([
    ['GET /whoami HTTP/1.1\r\nhost: x\r\n\r\n', '"error":"shutting-down"'],
    ['GET / HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n', '503 Service Unavailable'],
  ])('finishes requests that it has begun and takes no new ones: %j', async (next, answer) => {
    const backend = await started();
    const [host = '', port] = backend.address.split(':');
    const socket = connect(Number(port), host);
    let received = '';
    socket.on('data', (chunk) => {
      received += chunk;
    });
    socket.write('POST /echo HTTP/1.1\r\nhost: x\r\nexpect: 100-continue\r\ncontent-length: 5\r\n\r\n');
    while (!received.includes('100 Continue')) await once(socket, 'data');
    const stopped = backend.stop();
    socket.write('hello');
    while (!received.includes('hello')) await once(socket, 'data');
    socket.write(next);
    await once(socket, 'close');
    expect(received).toContain('hello');
    expect(received).toContain(answer);
    await stopped;
  });

  test('does not wait for ever for a peer that never answers the close', async () => {
    const backend = await started();
    const client = await RawClient.connect(backend.url);
    client.socket.pause();
    await backend.stop();
    client.socket.resume();
    await client.closed;
  });

  test.each([1000, 1001, 1006, 1012, 4000])('closeCode %i', async (closeCode) => {
    const backend = await started({ faults: { closeCode } });
    const client = await RawClient.connect(backend.url);
    await backend.stop();
    expect((await client.closed).code).toBe(closeCode);
  });

  test('frees the address', async () => {
    const first = await started();
    const { address } = first;
    await RawClient.connect(first.url);
    await first.stop();
    await RawClient.connect((await started({ listen: address })).url);
  });
});

test('kill cuts everything at once', async () => {
  const backend = await started({ faults: { delayMs: 60_000 } });
  const clients = [await RawClient.connect(backend.url, { user: 'a' }), await RawClient.connect(backend.url)];
  await clients[0]?.subscribe('/user/queue/x');
  const posted = post(backend, 'a', '/queue/x', 'never answered');
  backend.kill();
  await expect(posted).rejects.toThrow();
  for (const client of clients) expect((await client.closed).code).toBe(1006);
  expect(await refused(backend.address)).toBe(true);
});

test('an address in use is refused', async () => {
  const { address } = await started();
  await expect(started({ listen: address })).rejects.toThrow('EADDRINUSE');
});

test('listens on IPv6', async () => {
  const backend = await started({ listen: '[::1]:0' });
  expect(backend.address).toMatch(/^\[::1\]:\d+$/);
  await RawClient.connect(backend.url);
});

test('a client that stops reading is closed, and only it', async () => {
  const backend = await started({ maxBufferedBytes: 128 * 1024 });
  const slow = await RawClient.connect(backend.url, { user: 'slow' });
  const quick = await RawClient.connect(backend.url, { user: 'quick' });
  for (const client of [slow, quick]) await client.subscribe('/user/queue/x');
  slow.socket.pause();
  const body = new Uint8Array(60_000);
  // The kernel takes some megabytes for a peer that does not read; 100 MB are more than any.
  let sent = 0;
  while (sent < 1700 && (await post(backend, 'slow', '/queue/x', body)).status === 200) sent += 1;
  expect(sent).toBeLessThan(1700);
  expect((await post(backend, 'quick', '/queue/x', 'x')).status).toBe(200);
  expect(await quick.bodies(1)).toEqual(['x']);
  slow.socket.resume();
  expect([1006, 4500]).toContain((await slow.closed).code);
});

describe('faults over the wire', () => {
  test.each([
    [{ dropEvery: 2 }, '1 3 5'],
    [{ duplicateEvery: 2 }, '1 2 2 3 4 4 5 6 6'],
    [{ swapEvery: 2 }, '1 3 2 5 4 6'],
  ])('%j', async (faults, expected) => {
    const backend = await started({ faults });
    const client = await RawClient.connect(backend.url, { user: 'a' });
    await client.subscribe('/user/queue/x');
    for (let i = 1; i <= 6; i++) expect((await post(backend, 'a', '/queue/x', `${i}`)).status).toBe(200);
    expect((await client.bodies(expected.split(' ').length)).join(' ')).toBe(expected);
  });

  test('crashAfter: the message comes, its answer never', async () => {
    const backend = await started({ faults: { crashAfter: 2 } });
    const client = await RawClient.connect(backend.url, { user: 'a' });
    await client.subscribe('/user/queue/x');
    expect((await post(backend, 'a', '/queue/x', '1')).status).toBe(200);
    await expect(post(backend, 'a', '/queue/x', '2')).rejects.toThrow();
    expect(await client.bodies(2)).toEqual(['1', '2']);
    expect((await client.closed).code).toBe(1006);
  });

  test('sendErrorAfter', async () => {
    const backend = await started({ faults: { sendErrorAfter: 2 } });
    const client = await RawClient.connect(backend.url, { user: 'a' });
    await client.subscribe('/user/queue/x');
    for (const body of ['1', '2']) backend.deliver('a', '/queue/x', body);
    expect(await client.bodies(2)).toEqual(['1', '2']);
    expect((await client.frame('ERROR')).header('message')).toBe('planted error');
  });

  test('refuseConnect and refuseUpgrade, until the plan changes', async () => {
    const backend = await started({ faults: { refuseConnect: true, refuseUpgrade: 429 } });
    await expect(RawClient.open(backend.url)).rejects.toThrow('429');
    backend.faults.refuseUpgrade = 0;
    await expect(RawClient.connect(backend.url)).rejects.toThrow('planted refusal');
    backend.faults.refuseConnect = false;
    await RawClient.connect(backend.url);
  });

  test('dropAfterMs, until the plan changes', async () => {
    const backend = await started({ faults: { dropAfterMs: 20 } });
    const dropped = await RawClient.connect(backend.url);
    await dropped.subscribe('/user/queue/x');
    expect((await dropped.closed).code).toBe(1011);
    backend.faults.dropAfterMs = 0;
    const client = await RawClient.connect(backend.url, { user: 'a' });
    await client.subscribe('/user/queue/x');
    expect(backend.sessions()).toBe(1);
  });

  test('connectDelayMs', async () => {
    const { url } = await started({ faults: { connectDelayMs: 30 } });
    const client = await RawClient.open(url);
    client.send('CONNECT', { 'accept-version': '1.2' });
    client.send('SUBSCRIBE', { id: '1', destination: '/topic/x', receipt: 'r' });
    await client.frame('CONNECTED');
    await client.frame('RECEIPT');
  });
});
