/** What pods write in any mixture and however it is cut into reads comes to each client whole, once and in order: plain messages all at once. */
import { describe, expect, test } from 'vitest';
import { encode } from '../../stomp/index.ts';
import { frame, OPCODE } from '../../websocket/index.ts';
import { type Random, seeded } from '../experiment/random.ts';
import { RawClient, textOf } from '../support/client.ts';
import { eventually, type ProxyUnderTest, startProxy } from '../support/proxy.ts';
import { type PodLink, scriptedPod } from '../support/scripted-pod.ts';

const MESSAGES = 600;
const READ_MAX_BYTES = 3_000;
const TO_CLIENT = 'holdfast_messages_total{direction="to-client"}';

/** A body for each number, of any length, with octets that end other things. */
function bodyOf(user: string, i: number): string {
  return `${user} ${i} ${'\0\n:é'.repeat((i * 13) % 9)}${'x'.repeat((i * 97) % 700)}`;
}

const framed = (bytes: Uint8Array) => Buffer.from(frame(OPCODE.text, bytes, false));

/** A message in two WebSocket frames. */
function inTwo(bytes: Uint8Array): Buffer {
  const half = bytes.length >> 1;
  const first = framed(bytes.subarray(0, half));
  first[0] = OPCODE.text;
  const last = framed(bytes.subarray(half));
  last[0] = 0x80 | OPCODE.continuation;
  return Buffer.concat([first, last]);
}

/** Mostly plain messages, and all else that a pod may say between them. */
function octetsOf(user: string): Buffer {
  const all = Array.from({ length: MESSAGES }, (_, i) => {
    const marks = i % 17 === 3 ? { 'holdfast-id': `${user}-${i}` } : {};
    const headers = { subscription: '1', 'message-id': i, destination: '/a', ...marks };
    const message = encode('MESSAGE', headers, bodyOf(user, i));
    if (i % 29 === 7) return inTwo(message);
    const between = [
      framed(Buffer.from('\n')),
      Buffer.from(frame(OPCODE.ping, Buffer.from('?'), false)),
      Buffer.alloc(0),
    ];
    return Buffer.concat([between[i % 23] ?? Buffer.alloc(0), framed(message)]);
  });
  return Buffer.concat(all);
}

async function write({ request }: PodLink, octets: Buffer, random: Random): Promise<void> {
  for (let at = 0; at < octets.length; ) {
    const to = Math.min(octets.length, at + 1 + Math.floor(random.between(0, READ_MAX_BYTES)));
    request.socket.write(octets.subarray(at, to));
    at = to;
    if (random.next() < 0.3) await new Promise(setImmediate);
  }
}

async function setUp(users: readonly string[]) {
  const pod = await scriptedPod('pod-1');
  const proxy = await startProxy([pod]);
  const clients = [];
  for (const [index, user] of users.entries()) {
    const client = await RawClient.connect(proxy.ws, { user });
    clients.push({ user, client, link: await pod.link(index) });
  }
  return { proxy, clients };
}

const expected = (user: string) => Array.from({ length: MESSAGES }, (_, i) => bodyOf(user, i));

/** How many messages the proxy has passed on more than before. */
const passed = async (proxy: ProxyUnderTest, before: number) => (await proxy.metric(TO_CLIENT)) - before;

describe.each([1, 2, 3])('cut by seed %i', (seed) => {
  test('bursts of several links at the same time', async () => {
    const random = seeded(seed);
    const { proxy, clients } = await setUp(['ann', 'bob', 'cleo']);
    const before = await proxy.metric(TO_CLIENT);
    await Promise.all(clients.map(({ user, link }) => write(link, octetsOf(user), random)));
    for (const { user, client } of clients) expect(await client.bodies(MESSAGES)).toEqual(expected(user));
    expect(await passed(proxy, before)).toBe(clients.length * MESSAGES);
  });
});

test('a client that does not read for a while gets what its pod wrote, though others were read in its place', async () => {
  const { clients } = await setUp(['slow', 'other']);
  const [slow, other] = clients as [(typeof clients)[number], (typeof clients)[number]];
  slow.client.socket.pause();
  const texts: string[] = [];
  while (slow.link.request.socket.writableLength < 1024 * 1024) {
    const octets = [];
    for (let i = 0; i < 8; i++) {
      const text = `${texts.length}:`.padEnd(6_000, String.fromCharCode(97 + (texts.length % 26)));
      texts.push(text);
      const marks = texts.length % 16 < 8 ? { 'holdfast-id': `${texts.length}` } : {};
      octets.push(
        framed(encode('MESSAGE', { subscription: '1', 'message-id': '1', destination: '/a', ...marks }, text)),
      );
    }
    slow.link.request.socket.write(Buffer.concat(octets));
    await new Promise(setImmediate);
  }
  await write(other.link, octetsOf('other'), seeded(4));
  expect(await other.client.bodies(MESSAGES)).toEqual(expected('other'));
  slow.client.socket.resume();
  for (const text of texts) expect(textOf(await slow.client.frame('MESSAGE')) === text).toBe(true);
  await eventually(() => expect(slow.link.request.socket.writableLength).toBe(0));
});
