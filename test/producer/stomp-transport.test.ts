import { once } from 'node:events';
import { afterEach, describe, expect, test } from 'vitest';
import { userDestination } from '../../producer/service-link.ts';
import { REDIAL_BACKOFF, type StompTransportOptions, stompTransport } from '../../producer/stomp-transport.ts';
import type { Message, Transport } from '../../producer/transport.ts';
import type { Frame } from '../../stomp/index.ts';
import { closed } from './http-pod.ts';
import { LogRecorder } from './log-recorder.ts';
import { healthy, type PodSide, StompPod } from './stomp-pod.ts';
import { VirtualClock } from './virtual-clock.ts';

const MESSAGE: Message = {
  user: 'al/ice',
  destination: '/queue/x:1',
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

async function podOf(onConnection: (side: PodSide) => void): Promise<StompPod> {
  const pod = await StompPod.start('pod-1', onConnection);
  ended.push(() => pod.close());
  return pod;
}

interface World {
  readonly transport: Transport;
  readonly clock: VirtualClock;
  readonly log: LogRecorder;
}

function transportOf(options: StompTransportOptions = {}): World {
  const clock = new VirtualClock();
  const log = new LogRecorder();
  const transport = stompTransport({ clock, log, random: () => 0.5, ...options });
  ended.push(async () => {
    const left = transport.close();
    await clock.advance(10_000);
    await left;
  });
  return { transport, clock, log };
}

/** A pod that connects and then leaves SENDs to the test. */
const silent =
  (heartBeat = '0,0') =>
  (side: PodSide) =>
    void side.on('CONNECT', () => side.say('CONNECTED', { version: '1.2', 'heart-beat': heartBeat }));

describe('STOMP transport', () => {
  test('connects as a client and sends with a receipt', async () => {
    const pod = await podOf(healthy());
    const { transport } = transportOf({
      path: '/ws?x=1',
      login: { login: 'app', passcode: 'secret' },
      headers: { 'x-service': 'prices' },
    });
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toBe('delivered');
    const [side] = pod.sides;
    expect(side?.request.url).toBe('/ws?x=1');
    expect(side?.request.headers).toMatchObject({
      'x-service': 'prices',
      'sec-websocket-protocol': 'v12.stomp,v11.stomp,v10.stomp',
    });
    const [connect, send] = side?.frames ?? [];
    expect(Object.fromEntries(connect?.headers() ?? [])).toEqual({
      'accept-version': '1.2,1.1,1.0',
      host: '127.0.0.1',
      'heart-beat': '2000,2000',
      login: 'app',
      passcode: 'secret',
    });
    expect(Object.fromEntries(send?.headers() ?? [])).toEqual({
      destination: '/user/al%2Fice/queue/x:1',
      'content-type': 'application/json',
      'content-length': '11',
      receipt: 'm1',
      'holdfast-id': 'id-1',
      'holdfast-seq': 's:1',
      'x-trace': 't1',
    });
    expect([Buffer.from(send?.body ?? []).toString(), side?.binary]).toEqual(['{"price":1}', [false, false]]);
  });

  test('uses one link for all messages, and receipts may come in any order', async () => {
    const pod = await podOf(silent());
    const { transport } = transportOf();
    const results = [1, 2, 3].map((n) => transport.post(pod.pod, { ...MESSAGE, id: `id-${n}` }, 1000));
    const side = await pod.side();
    const sends = await side.sends(3);
    expect(sends.map((frame) => frame.header('holdfast-id'))).toEqual(['id-1', 'id-2', 'id-3']);
    for (const frame of sends.toReversed()) side.receipt(frame, frame === sends[1] ? { 'holdfast-sessions': '0' } : {});
    expect(await Promise.all(results)).toEqual(['delivered', 'no-session', 'delivered']);
    expect(pod.sides).toHaveLength(1);
  });

  test.each([
    ['0', 'no-session'],
    ['1', 'delivered'],
    ['2', 'delivered'],
  ])('a receipt for %s sessions is %s', async (sessions, result) => {
    const pod = await podOf((side) => {
      silent()(side);
      side.on('SEND', (frame: Frame) => side.receipt(frame, { 'holdfast-sessions': sessions }));
    });
    expect(await transportOf().transport.post(pod.pod, MESSAGE, 1000)).toBe(result);
  });

  test('bodies that are no text go as binary messages', async () => {
    const pod = await podOf(healthy());
    const { transport } = transportOf();
    expect(await transport.post(pod.pod, { ...MESSAGE, body: Uint8Array.of(255, 0, 1) }, 1000)).toBe('delivered');
    expect(pod.sides[0]?.binary.at(-1)).toBe(true);
    expect([...(pod.sides[0]?.frames.at(-1)?.body ?? [])]).toEqual([255, 0, 1]);
  });

  test('speaks the version that the pod chose', async () => {
    const pod = await podOf(healthy('0,0', '1.0'));
    const { transport } = transportOf();
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toBe('delivered');
    const side = pod.sides[0];
    expect(Buffer.from(side?.frames.at(-1)?.bytes ?? []).toString()).toContain(
      'destination:/user/al%2Fice/queue/x:1\n',
    );
    side?.removeAllListeners('SEND');
    side?.on('SEND', () => side.socket.send('ERROR\nreceipt-id:m2\nmessage:no \\c in 1.0\n\n\0'));
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toEqual({ refused: 'no \\c in 1.0' });
  });

  test('a link that ends with receipts owed: the pod may have the messages', async () => {
    const pod = await podOf(silent());
    const { transport, log } = transportOf();
    const result = transport.post(pod.pod, MESSAGE, 1000);
    const side = await pod.side();
    await side.next('SEND');
    const lost = log.next('service link ended');
    side.socket.terminate();
    expect(await result).toEqual({ unreachable: expect.stringMatching(/1006|ECONNRESET/), ambiguous: true });
    await lost;
  });

  test('a receipt that does not come in time: the same', async () => {
    const pod = await podOf(silent());
    const { transport, clock } = transportOf();
    const result = transport.post(pod.pod, MESSAGE, 1000);
    const side = await pod.side();
    await side.next('SEND');
    await clock.advance(1000);
    expect(await result).toEqual({ unreachable: 'no receipt in time', ambiguous: true });
  });

  test('an ERROR with the receipt refuses that message and ends the link for the others', async () => {
    const pod = await podOf(silent());
    const { transport, log } = transportOf();
    const results = [transport.post(pod.pod, MESSAGE, 1000), transport.post(pod.pod, MESSAGE, 1000)];
    const side = await pod.side();
    const [first] = await side.sends(2);
    side.say('ERROR', { message: 'Access denied for alice', 'receipt-id': first?.header('receipt') ?? '' });
    expect(await Promise.all(results)).toEqual([
      { refused: 'Access denied for alice' },
      { unreachable: 'the pod sent ERROR', ambiguous: true },
    ]);
    expect(JSON.stringify(log.lines)).not.toContain('alice');
  });

  test('what is no STOMP ends the link', async () => {
    const pod = await podOf(silent());
    const { transport } = transportOf();
    const result = transport.post(pod.pod, MESSAGE, 1000);
    const side = await pod.side();
    await side.next('SEND');
    side.socket.send('HELLO\n\n\0');
    expect(await result).toMatchObject({ unreachable: expect.stringMatching(/^not STOMP/), ambiguous: true });
  });

  test.each<[string, (side: PodSide) => void, RegExp]>([
    [
      'refuses CONNECT',
      (side) => side.on('CONNECT', () => side.say('ERROR', { message: 'Bad credentials' })),
      /^CONNECT refused: Bad credentials$/,
    ],
    ['closes at once', (side) => side.socket.close(1008), /^link closed with code 1008$/],
  ])('a pod that %s has no message for certain, and is not dialled again at once', async (_, onConnection, reason) => {
    const pod = await podOf(onConnection);
    const { transport, clock } = transportOf();
    const refused = { unreachable: expect.stringMatching(reason), ambiguous: false };
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toEqual(refused);
    const down = await transport.post(pod.pod, MESSAGE, 1000);
    expect(down).toEqual({ unreachable: expect.stringMatching(/^link down: /), ambiguous: false });
    expect(pod.sides).toHaveLength(1);
    await clock.advance(REDIAL_BACKOFF.baseMs / 2);
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toEqual(refused);
    expect(pod.sides).toHaveLength(2);
  });

  test('a pod that is not there has no message for certain; once it is, it is dialled', async () => {
    const pod = await podOf(healthy());
    const { address } = pod.pod;
    await pod.close();
    const { transport, clock } = transportOf();
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toEqual({ unreachable: 'ECONNREFUSED', ambiguous: false });
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toEqual({
      unreachable: 'link down: ECONNREFUSED',
      ambiguous: false,
    });
    const again = await podOf(healthy());
    await clock.advance(REDIAL_BACKOFF.baseMs / 2);
    expect(address).not.toBe(again.pod.address);
    expect(await transport.post(again.pod, MESSAGE, 1000)).toBe('delivered');
  });

  test('waits longer each time a dialled pod fails', async () => {
    const pod = await podOf((side) => side.socket.terminate());
    const { transport, clock, log } = transportOf();
    const waits: number[] = [];
    for (let i = 0; i < 8; i++) {
      const ended = log.next('service link ended');
      void transport.post(pod.pod, MESSAGE, clock.now() + 1000);
      const { redialMs } = await ended;
      waits.push(Number(redialMs));
      await clock.advance(Number(redialMs));
    }
    expect(waits).toEqual([50, 100, 200, 400, 800, 1600, 2500, 2500]);
  });

  test('a pod that takes the connection and says nothing is given up', async () => {
    const pod = await podOf(() => {});
    const { transport, clock, log } = transportOf();
    const result = transport.post(pod.pod, MESSAGE, 1000);
    const side = await pod.side();
    await side.next('CONNECT');
    const lost = log.next('service link ended');
    await clock.advance(1000);
    expect(await result).toEqual({ unreachable: 'no link in time', ambiguous: false });
    void clock.advance(4000);
    expect(await lost).toMatchObject({ reason: 'no CONNECTED within 5000 ms' });
  });

  test('beats are sent and expected as agreed', async () => {
    const pod = await podOf(healthy('2000,2000'));
    const { transport, clock, log } = transportOf();
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toBe('delivered');
    const [side] = pod.sides;
    if (side === undefined) throw new Error('nobody connected');
    const beat = once(side, 'beat');
    await clock.advance(2000);
    await beat;
    const lost = log.next('service link ended');
    void clock.advance(3000);
    expect(await lost).toMatchObject({ reason: 'the pod missed its heart-beats' });
    expect(clock.now()).toBeLessThanOrEqual(5000);
  });

  test('without beats, a pod from which nothing comes within the time of a receipt is redialled', async () => {
    const pod = await podOf(silent('0,0'));
    const { transport, clock, log } = transportOf();
    const result = transport.post(pod.pod, MESSAGE, 1000);
    const side = await pod.side();
    await side.next('SEND');
    const lost = log.next('service link ended');
    const cut = closed(side.socket);
    void clock.advance(1000);
    expect(await lost).toMatchObject({ reason: 'the pod has gone silent' });
    await Promise.all([result, cut]);
  });

  test('a link that nobody uses is closed with a DISCONNECT', async () => {
    const pod = await podOf(healthy());
    const { transport, clock, log } = transportOf();
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toBe('delivered');
    const [side] = pod.sides;
    if (side === undefined) throw new Error('nobody connected');
    const bye = side.next('DISCONNECT');
    const gone = once(side.socket, 'close');
    await clock.advance(59_999);
    expect(side.frames.map(({ command }) => command)).toEqual(['CONNECT', 'SEND']);
    await clock.advance(1);
    expect((await bye).header('receipt')).toBe('bye');
    expect((await gone)[0]).toBe(1000);
    expect(log.lines).toEqual([]);
    expect(await transport.post(pod.pod, MESSAGE, clock.now() + 1000)).toBe('delivered');
    expect(pod.sides).toHaveLength(2);
  });

  test.each([1, 2, 3])('%i messages in flight fit where that many may be, and no more', async (maxInFlight) => {
    const pod = await podOf(silent());
    const { transport } = transportOf({ maxInFlight });
    const results = Array.from({ length: maxInFlight }, () => transport.post(pod.pod, MESSAGE, 1000));
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toMatchObject({
      unreachable: expect.stringMatching(/in flight/),
      ambiguous: false,
    });
    const side = await pod.side();
    for (const frame of await side.sends(maxInFlight)) side.receipt(frame);
    expect(new Set(await Promise.all(results))).toEqual(new Set(['delivered']));
    side.on('SEND', (frame: Frame) => side.receipt(frame));
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toBe('delivered');
  });

  test('without receipts, delivered means written', async () => {
    const pod = await podOf(silent());
    const { transport, clock } = transportOf({ receipts: false });
    const side = pod.side();
    const sent = side.then((it) => it.next('SEND'));
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toBe('delivered');
    expect((await sent).header('receipt')).toBeUndefined();
    await clock.advance(0);
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toBe('delivered');
  });

  test('a user whose name is taken for another one by %2F is refused', async () => {
    const pod = await podOf(healthy());
    const { transport } = transportOf();
    expect(await transport.post(pod.pod, { ...MESSAGE, user: 'a%2fb' }, 1000)).toEqual({
      refused: expect.stringMatching(/%2F/),
    });
    expect(userDestination('a/b%?', '/queue/x')).toBe('/user/a%2Fb%?/queue/x');
  });

  test('closing takes leave, ends what is owed, and leaves no timer', async () => {
    const pod = await podOf(silent());
    const { transport, clock } = transportOf();
    const result = transport.post(pod.pod, MESSAGE, 1000);
    const side = await pod.side();
    await side.next('SEND');
    const bye = side.next('DISCONNECT');
    const left = transport.close();
    expect(await result).toEqual({ unreachable: 'closed by us', ambiguous: true });
    side.receipt(await bye);
    await left;
    expect(clock.pendingTimers).toBe(0);
    expect(await transport.post(pod.pod, MESSAGE, 1000)).toMatchObject({ ambiguous: false });
  });

  test('a pod that does not answer the leave-taking is cut off', async () => {
    const pod = await podOf(silent());
    const { transport, clock } = transportOf();
    const result = transport.post(pod.pod, MESSAGE, 1000);
    const side = await pod.side();
    await side.next('SEND');
    const left = transport.close();
    await result;
    await side.next('DISCONNECT');
    await clock.advance(1000);
    await left;
  });

  test.each(['ws', '/a b', '/a#b'])('the path %s is an error at once', (path) => {
    expect(() => stompTransport({ path })).toThrow(TypeError);
  });
});
