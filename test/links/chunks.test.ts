/** Large frames towards pods that take only so much in one message, over real WebSockets. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { WebSocketServer } from 'ws';
import { Dialer } from '../../proxy/links/dialer.ts';
import type { ChunkRules } from '../../proxy/session/index.ts';
import { dialerOptions } from '../../proxy/settings.ts';
import { configFrom } from '../support/proxy.ts';

const LIMITS: ChunkRules = { textMaxBytes: 64, binaryMaxBytes: 40, oneFramePerMessage: false };

/** A dialled link, and what its pod gets. */
async function linked(chunks: ChunkRules | undefined, sockJs: boolean) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  const got: { readonly data: Buffer; readonly binary: boolean }[] = [];
  server.on('connection', (ws) => {
    if (sockJs) ws.send('o');
    ws.on('message', (data: Buffer, binary) => got.push({ data, binary }));
  });
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const base = dialerOptions(configFrom(['--pods', 'a=127.0.0.1:1']));
  const options = { ...base, sockJs };
  const pod = { id: 'a', name: 'a', address: `127.0.0.1:${port}`, state: 'serving' } as const;
  const target = { path: '/ws', protocols: [], headers: [] };
  const ended = Promise.withResolvers<void>();
  const opened = Promise.withResolvers<void>();
  const socket = new Dialer(options, () => performance.now()).dial(pod, target, {
    onOpen: () => opened.resolve(),
    onFrame: () => false,
    onMessage: () => {},
    onDrain: () => {},
    onClose: () => ended.resolve(),
    onFailed: () => ended.resolve(),
  });
  onTestFinished(() => void server.close());
  await opened.promise;
  if (chunks !== undefined) socket.takes(chunks);
  const all = async () => {
    socket.close(1000, '');
    await ended.promise;
    return got;
  };
  return { socket, all };
}

const bytes = (text: string) => new TextEncoder().encode(text);

describe('a text frame', () => {
  test.each([
    [63, [63]],
    [64, [64]],
    [65, [64, 1]],
  ])('of %i octets, where 64 may be, is messages of %j', async (length, sizes) => {
    const { socket, all } = await linked(LIMITS, false);
    socket.send(bytes('x'.repeat(length)), false);
    const got = await all();
    expect(got.map(({ data }) => data.length)).toEqual(sizes);
    expect(got.every(({ binary }) => !binary)).toBe(true);
  });
});

test.each([
  [39, [39]],
  [40, [40]],
  [41, [40, 1]],
])('a binary frame of %i octets, where 40 may be, is messages of %j', async (length, sizes) => {
  const { socket, all } = await linked(LIMITS, false);
  socket.send(new Uint8Array(length), true);
  const got = await all();
  expect(got.map(({ data }) => data.length)).toEqual(sizes);
  expect(got.every(({ binary }) => binary)).toBe(true);
});

test.each([undefined, { ...LIMITS, oneFramePerMessage: true }])('with limits %j nothing is cut', async (limits) => {
  const { socket, all } = await linked(limits, false);
  socket.send(bytes('x'.repeat(1000)), false);
  expect(await all()).toHaveLength(1);
});

test('in SockJS framing the limit holds for what is written, and the strings are the frame', async () => {
  const { socket, all } = await linked(LIMITS, true);
  const text = 'é\u2028"\\\r\n😀\u0001'.repeat(40);
  socket.send(bytes(text), false);
  const got = await all();
  for (const { data } of got) expect(data.length).toBeLessThanOrEqual(64);
  expect(got.flatMap(({ data }) => JSON.parse(data.toString()) as string[]).join('')).toBe(text);
});
