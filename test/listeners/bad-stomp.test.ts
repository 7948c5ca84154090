/** What clients say wrong over the WebSocket: one clear ERROR, a close, and nobody else is disturbed. */
import { describe, expect, test } from 'vitest';
import { encode } from '../../stomp/index.ts';
import { started } from '../backend/tools.ts';
import { echo, echoClient, RawClient, textOf } from '../support/client.ts';
import { eventually, type ProxyUnderTest, startProxy } from '../support/proxy.ts';

async function setting(flags: readonly string[] = []) {
  const pod = await started();
  const proxy = await startProxy([pod], flags);
  return { pod, proxy, other: await echoClient(proxy.ws, 'other') };
}

interface Ended {
  readonly message: string | undefined;
  readonly detail: string;
  readonly code: number;
}

/** The ERROR that a client gets, and the code of the close behind it. */
async function ending(client: RawClient): Promise<Ended> {
  const error = await client.frame('ERROR');
  const { code } = await client.closed;
  return { message: error.header('message'), detail: textOf(error), code };
}

const CONNECT = encode('CONNECT', { 'accept-version': '1.2', host: 'x' });
const FRAME = 2048;

function frameOfBytes(total: number): Uint8Array {
  const empty = encode('SEND', { destination: '/app/echo', 'content-length': 1000 }, new Uint8Array(1000)).length;
  const body = 1000 + total - empty;
  return encode('SEND', { destination: '/app/echo', 'content-length': body }, new Uint8Array(body).fill(97));
}

const before: [what: string, bytes: string | Uint8Array, message: string, detail: RegExp][] = [
  ['garbage', 'GET / HTTP/1.1\r\n\r\n\0', 'unknown-command', /command/],
  ['binary garbage', new Uint8Array([0xff, 0xfe, 0, 1, 2]), 'unknown-command', /command/],
  [
    'a frame before CONNECT',
    encode('SEND', { destination: '/a' }, 'x'),
    'not connected',
    /first frame must be CONNECT/,
  ],
  ['a server’s frame', encode('CONNECTED', { version: '1.2' }), 'unknown-command', /command/],
  ['a CONNECT with too many headers', `CONNECT\n${'a:b\n'.repeat(65)}\n\0`, 'too-many-headers', /64/],
  ['a CONNECT with too long headers', `CONNECT\na:${'b'.repeat(9000)}\n\n\0`, 'header-too-large', /8192/],
  ['a CONNECT with a body', `CONNECT\n\nbody\0`, 'unexpected-body', /body/],
];

const after: [what: string, bytes: string | Uint8Array, message: string, detail: RegExp][] = [
  ['a second CONNECT', CONNECT, 'already connected', /Open a new one/],
  ['a second STOMP', encode('STOMP', { 'accept-version': '1.2' }), 'already connected', /Open a new one/],
  ['an unknown command', 'SENT\ndestination:/a\n\n\0', 'unknown-command', /SENT/],
  ['a bad escape', 'SEND\ndestination:/a\\t\n\nx\0', 'bad-escape', /./],
  ['a header without a colon', 'SEND\ndestination\n\n\0', 'bad-header', /./],
  ['a bad content-length', 'SEND\ndestination:/a\ncontent-length:-1\n\n\0', 'bad-content-length', /./],
  ['a wrong content-length', 'SEND\ndestination:/a\ncontent-length:1\n\nxx\0', 'missing-nul', /./],
  ['a frame over the limit', frameOfBytes(FRAME + 1), 'frame-too-large', /2048/],
  ['too many headers', `SEND\ndestination:/a\n${'a:b\n'.repeat(64)}\n\0`, 'too-many-headers', /64/],
  ['a reserved receipt', encode('SEND', { destination: '/a', receipt: 'holdfast-1' }), 'reserved receipt', /Choose/],
  ['a reserved destination', encode('SEND', { destination: '/holdfast/x' }), 'reserved destination', /SUBSCRIBE/],
];

describe('before the session', () => {
  test.each(before)('%s', async (_what, bytes, message, detail) => {
    const { proxy, other, pod } = await setting();
    const client = await RawClient.open(proxy.ws, { user: 'bad' });
    client.socket.send(bytes);
    expect(await ending(client)).toEqual({ message, detail: expect.stringMatching(detail), code: 1002 });
    expect(pod.sessions()).toBe(1);
    await echo(other, 'still here');
    const line = await proxy.line(({ msg }) => msg === 'client turned away');
    expect(await proxy.metric(`holdfast_protocol_errors_total{code="${line['reason']}"}`)).toBe(1);
  });

  test('no CONNECT in time', async () => {
    const { proxy, other } = await setting(['--client-connect-max', '200ms']);
    const client = await RawClient.open(proxy.ws, { user: 'bad' });
    client.socket.send('\n\n');
    const ended = { message: 'no CONNECT', detail: expect.stringContaining('within 200 ms'), code: 1002 };
    expect(await ending(client)).toEqual(ended);
    await echo(other, 'still here');
  });

  test('half a CONNECT in time', async () => {
    const { proxy } = await setting(['--client-connect-max', '200ms']);
    const client = await RawClient.open(proxy.ws, { user: 'bad' });
    client.socket.send(CONNECT.subarray(0, CONNECT.length - 1));
    expect(await ending(client)).toMatchObject({ message: 'no CONNECT', code: 1002 });
  });
});

describe('in the session', () => {
  test.each(after)('%s', async (_what, bytes, message, detail) => {
    const { proxy, other, pod } = await setting(['--limits-frame', `${FRAME}B`]);
    const client = await RawClient.connect(proxy.ws, { user: 'bad' });
    client.socket.send(bytes);
    expect(await ending(client)).toEqual({ message, detail: expect.stringMatching(detail), code: 1002 });
    await echo(other, 'still here');
    await eventually(() => expect(pod.sessions()).toBe(1));
    await proxy.metricIs('holdfast_client_closes_total{reason="client-protocol"}', 1);
    await proxy.metricIs('holdfast_sessions{pod="pod-1"}', 1);
  });

  test.each([FRAME - 1, FRAME])('a frame of %i octets, within the limit, goes through', async (size) => {
    const { proxy } = await setting(['--limits-frame', `${FRAME}B`]);
    const client = await echoClient(proxy.ws, 'good');
    client.socket.send(frameOfBytes(size));
    const [body] = await client.bodies(1);
    expect(body?.length).toBeGreaterThan(FRAME - 200);
  });

  test('a message far over the limit is closed with 1009, and counted', async () => {
    const { proxy, other } = await setting(['--limits-frame', `${FRAME}B`]);
    const client = await RawClient.connect(proxy.ws, { user: 'bad' });
    client.socket.send(frameOfBytes(100_000));
    expect((await client.closed).code).toBe(1009);
    await echo(other, 'still here');
    await proxy.metricIs('holdfast_protocol_errors_total{code="message-too-big"}', 1);
  });

  test('text that is no UTF-8 is closed with 1007', async () => {
    const { proxy, other } = await setting();
    const client = await RawClient.connect(proxy.ws, { user: 'bad' });
    client.socket.send(new Uint8Array([0x53, 0xff, 0xfe]), { binary: false });
    expect((await client.closed).code).toBe(1007);
    await echo(other, 'still here');
  });

  test.each([
    [2, 'connected'],
    [3, 'refused'],
  ])('subscriptions over the limit: number %i is %s', async (count, outcome) => {
    const { proxy } = await setting(['--limits-subscriptions', '2']);
    const client = await RawClient.connect(proxy.ws, { user: 'bad' });
    for (let i = 1; i <= count; i++) {
      client.send('SUBSCRIBE', { id: i, destination: `/topic/${i}`, receipt: i });
      if (i <= 2) expect((await client.frame('RECEIPT')).header('receipt-id')).toBe(String(i));
    }
    if (outcome === 'refused') expect(await ending(client)).toMatchObject({ message: 'too many subscriptions' });
    else await echo(await echoClient(proxy.ws, 'another'), 'fine');
  });
});

describe('any chunking', () => {
  const rest = () => [
    encode('SUBSCRIBE', { id: 1, destination: '/user/queue/echo' }),
    encode('SEND', { destination: '/app/echo' }, 'one'),
    encode('SEND', { destination: '/app/echo' }, 'two'),
  ];
  const cuts: [what: string, cut: (all: Buffer) => Uint8Array[]][] = [
    ['all in one message', (all) => [all]],
    ['single octets', (all) => [...all].map((octet) => Uint8Array.of(octet))],
    ['CONNECT, SUBSCRIBE and half a SEND', (all) => [all.subarray(0, all.length - 30), all.subarray(all.length - 30)]],
    ['messages of seven octets', (all) => sevens(all)],
  ];

  test.each(cuts.flatMap(([what, cut]) => [false, true].map((binary) => [what, binary, cut] as const)))(
    '%s (binary: %s)',
    async (_what, binary, cut) => {
      const { proxy } = await setting();
      const client = await RawClient.open(proxy.ws, { user: 'alice' });
      for (const part of cut(Buffer.concat([CONNECT, ...rest()]))) client.socket.send(part, { binary });
      await client.frame('CONNECTED');
      expect(await client.bodies(2)).toEqual(['one', 'two']);
    },
  );
});

function sevens(all: Buffer): Uint8Array[] {
  const parts = [];
  for (let at = 0; at < all.length; at += 7) parts.push(all.subarray(at, at + 7));
  return parts;
}

describe('sessions per user', () => {
  async function open(proxy: ProxyUnderTest, user: string) {
    return RawClient.connect(proxy.ws, { user });
  }

  test('n-1 and n are taken, n+1 is refused, and one that leaves makes room', async () => {
    const { proxy, other } = await setting(['--limits-sessions-per-user', '2']);
    const first = await open(proxy, 'alice');
    await open(proxy, 'alice');
    await expect(open(proxy, 'alice')).rejects.toThrow(/429/);
    await echo(other, 'still here');
    first.send('DISCONNECT');
    await first.closed;
    await eventually(async () => void (await open(proxy, 'alice')));
  });

  test('also when only CONNECT says who it is', async () => {
    const pod = await started();
    const proxy = await startProxy([pod], ['--user', 'stomp-login', '--limits-sessions-per-user', '1']);
    const connect = { 'accept-version': '1.2', login: 'alice' };
    await RawClient.connect(proxy.ws, {}, connect);
    const second = await RawClient.open(proxy.ws);
    second.send('CONNECT', connect);
    expect(await ending(second)).toMatchObject({ message: 'too many sessions', code: 1013 });
  });

  test('in all: clients on their way count', async () => {
    const pod = await started();
    const proxy = await startProxy([pod], ['--limits-sessions', '2']);
    await open(proxy, 'alice');
    const waiting = await RawClient.open(proxy.ws, { user: 'bob' });
    await expect(open(proxy, 'carol')).rejects.toThrow(/503/);
    waiting.socket.terminate();
    await eventually(async () => void (await open(proxy, 'carol')));
  });
});

describe('a user that only CONNECT can name', () => {
  const strange: [string, Record<string, string>, RegExp][] = [
    ['missing', {}, /nothing in the request says/],
    ['empty', { login: '' }, /is empty/],
    ['with a control character', { login: 'a\u0007' }, /control character/],
  ];
  test.each(strange)('%s: ERROR and close', async (_what, headers, detail) => {
    const pod = await started();
    const proxy = await startProxy([pod], ['--user', 'stomp-login']);
    const client = await RawClient.open(proxy.ws);
    client.send('CONNECT', { 'accept-version': '1.2', ...headers });
    expect(await ending(client)).toEqual({
      message: 'not allowed',
      detail: expect.stringMatching(detail),
      code: 1008,
    });
    expect(pod.sessions()).toBe(0);
    await proxy.metricIs('holdfast_auth_denied_total{reason="denied"}', 1);
  });

  test('frames that come with CONNECT are kept until the user is known', async () => {
    const pod = await started();
    const proxy = await startProxy([pod], ['--user', 'stomp-login']);
    const client = await RawClient.open(proxy.ws);
    const parts = [
      encode('CONNECT', { 'accept-version': '1.2', login: 'alice' }),
      encode('SUBSCRIBE', { id: 1, destination: '/user/queue/echo' }),
      encode('SEND', { destination: '/app/echo' }, 'hello'),
    ];
    for (const part of parts) client.socket.send(part);
    await client.frame('CONNECTED');
    expect(await client.bodies(1)).toEqual(['hello']);
  });
});
