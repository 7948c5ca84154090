/** One session on a socket of paper and virtual time: bounds, heart-beats, and how it ends. */
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Broker } from '../../backend/broker.ts';
import { Faults } from '../../backend/faults.ts';
import { type BackendOptions, settle } from '../../backend/options.ts';
import { deliverToUser, messageIds, type Pod } from '../../backend/pod.ts';
import { Session, type SessionSocket } from '../../backend/session.ts';
import { Decoder, encode, type Frame, type HeaderInit, type Version } from '../../stomp/index.ts';

beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => vi.useRealTimers());

class PaperSocket implements SessionSocket {
  readonly decoder = new Decoder({ peer: 'server' });
  readonly frames: (Frame | 'beat')[] = [];
  readonly calls: string[] = [];
  bufferedBytes = 0;
  send(bytes: Uint8Array): void {
    this.frames.push(...this.decoder.push(bytes));
  }
  pause(): void {
    this.calls.push('pause');
  }
  resume(): void {
    this.calls.push('resume');
  }
  close(code: number): void {
    this.calls.push(`close ${code}`);
  }
  get commands(): string[] {
    return this.frames.map((frame) => (frame === 'beat' ? frame : frame.command));
  }
}

function paperPod(options: BackendOptions): Pod {
  const settings = settle({ name: 'pod-1', ...options });
  const faults = new Faults(settings.faults, () => {});
  const broker = new Broker(faults.hand);
  return { settings, faults, broker, phase: 'serving', server: 'x', nextMessageId: messageIds() };
}

function fresh(options: BackendOptions = {}, user: string | undefined = 'alice') {
  const pod = paperPod(options);
  const socket = new PaperSocket();
  const session = new Session(pod, socket, user);
  const say = (command: string, headers: HeaderInit = {}, body?: string, version?: Version) =>
    session.receive(encode(command, headers, body, version));
  return { pod, socket, session, say };
}

function connected(options: BackendOptions = {}, connect: HeaderInit = { 'accept-version': '1.2' }) {
  const all = fresh(options);
  all.say('CONNECT', connect);
  all.socket.frames.length = 0;
  return all;
}

describe('octets that wait for a slow client', () => {
  const headers = ['destination:/user/queue/x', 'message-id:123456789012-1', 'subscription:1', 'content-length:5'];
  const frameBytes = `MESSAGE\n${headers.join('\n')}\n\nhello\0`.length;
  const max = 10_000;

  test.each([
    [max - frameBytes - 1, true],
    [max - frameBytes, true],
    [max - frameBytes + 1, false],
  ])('%i waiting: taken %s', (waiting, taken) => {
    const { pod, socket, say } = connected({ maxBufferedBytes: max });
    say('SUBSCRIBE', { id: '1', destination: '/user/queue/x' });
    socket.bufferedBytes = waiting;
    const sessions = deliverToUser(pod.broker, 'alice', '/queue/x', new TextEncoder().encode('hello'), []);
    expect(sessions).toBe(taken ? 1 : 0);
    expect(socket.commands).toEqual(taken ? ['MESSAGE'] : []);
    expect(socket.calls).toEqual(taken ? [] : ['close 4500']);
  });

  test('a session that was closed for it gets nothing more', () => {
    const { pod, socket, say } = connected({ maxBufferedBytes: max });
    say('SUBSCRIBE', { id: '1', destination: '/topic/x' });
    socket.bufferedBytes = max;
    say('SEND', { destination: '/topic/x' });
    socket.bufferedBytes = 0;
    say('SEND', { destination: '/topic/x' });
    expect(pod.broker.publish('/topic/x', { destination: '/topic/x', headers: [], body: new Uint8Array() })).toBe(0);
    expect(socket.frames).toEqual([]);
  });
});

test.each([
  [2, ['MESSAGE', 'MESSAGE'], []],
  [3, ['MESSAGE', 'MESSAGE', 'ERROR'], ['close 1002']],
])('%i messages of at most 2 unacknowledged', (count, commands, calls) => {
  const { pod, socket, say } = connected({ maxUnacknowledged: 2 });
  say('SUBSCRIBE', { id: '1', destination: '/user/queue/x', ack: 'client' });
  for (let i = 0; i < count; i++) deliverToUser(pod.broker, 'alice', '/queue/x', new Uint8Array(), []);
  expect([socket.commands, socket.calls]).toEqual([commands, calls]);
});

describe('heart-beats', () => {
  const beating = { 'accept-version': '1.2', 'heart-beat': '3000,2000' };

  test('are sent when nothing else was, as often as agreed', () => {
    const { socket, session } = connected({ heartBeatMs: [1000, 0] }, beating);
    vi.advanceTimersByTime(1999);
    expect(socket.commands).toEqual([]);
    vi.advanceTimersByTime(1);
    expect(socket.commands).toEqual(['beat']);
    vi.advanceTimersByTime(1500);
    session.receive(encode('SEND', { destination: '/app/echo', receipt: '1' }));
    vi.advanceTimersByTime(1999);
    expect(socket.commands).toEqual(['beat', 'RECEIPT']);
    vi.advanceTimersByTime(1);
    expect(socket.commands).toEqual(['beat', 'RECEIPT', 'beat']);
  });

  test('missing for two intervals end the session', () => {
    const { socket, session } = connected({ heartBeatMs: [0, 1000] }, beating);
    vi.advanceTimersByTime(5999);
    session.receive(new TextEncoder().encode('\n'));
    vi.advanceTimersByTime(5999);
    expect(socket.calls).toEqual([]);
    vi.advanceTimersByTime(1);
    expect([socket.commands, socket.calls]).toEqual([['ERROR'], ['close 1002']]);
  });

  test.each([
    ['3000,2000', [1000, 1000], '2000,3000'],
    ['10,10', [1000, 1000], '1000,1000'],
    ['0,0', [1000, 1000], '0,0'],
    ['0,500', [1000, 1000], '1000,0'],
    ['500,500', [0, 0], '0,0'],
    [undefined, [1000, 1000], '0,0'],
  ] as const)('client %s, own %j: %s', (asked, own, agreed) => {
    const { socket, say } = fresh({ heartBeatMs: own });
    say('CONNECT', { 'accept-version': '1.2', 'heart-beat': asked });
    expect((socket.frames[0] as Frame).header('heart-beat')).toBe(agreed);
  });

  test('none agreed: no timer is left behind, however the session ends', () => {
    const { session } = connected({}, { 'accept-version': '1.2', 'heart-beat': '0,0' });
    expect(vi.getTimerCount()).toBe(0);
    const other = connected({}, beating);
    expect(vi.getTimerCount()).toBe(1);
    other.session.closed();
    session.closed();
    expect(vi.getTimerCount()).toBe(0);
  });
});

test('a WebSocket without CONNECT is ended after the connect timeout', () => {
  const { socket } = fresh({ connectTimeoutMs: 5000 });
  vi.advanceTimersByTime(4999);
  expect(socket.calls).toEqual([]);
  vi.advanceTimersByTime(1);
  expect([socket.commands, socket.calls]).toEqual([['ERROR'], ['close 1002']]);
});

test('connectDelayMs: reading stops, and what had come already is done after CONNECTED', () => {
  const { socket, say } = fresh({ faults: { connectDelayMs: 100 } });
  say('CONNECT', { 'accept-version': '1.2' });
  say('SUBSCRIBE', { id: '1', destination: '/topic/x', receipt: 'r' });
  vi.advanceTimersByTime(99);
  expect([socket.commands, socket.calls]).toEqual([[], ['pause']]);
  vi.advanceTimersByTime(1);
  expect([socket.commands, socket.calls]).toEqual([
    ['CONNECTED', 'RECEIPT'],
    ['pause', 'resume'],
  ]);
});

test('delayMs: the receipt of DISCONNECT stays the last one', () => {
  const { socket, say } = connected({ faults: { delayMs: 100 } });
  say('SUBSCRIBE', { id: '1', destination: '/topic/x', receipt: 'subscribe' });
  say('SEND', { destination: '/topic/x', receipt: 'send' });
  say('DISCONNECT', { receipt: 'disconnect' });
  expect(socket.frames.map((frame) => (frame as Frame).header('receipt-id'))).toEqual(['subscribe']);
  vi.advanceTimersByTime(100);
  expect(socket.commands).toEqual(['RECEIPT', 'MESSAGE', 'RECEIPT', 'RECEIPT']);
  expect((socket.frames[3] as Frame).header('receipt-id')).toBe('disconnect');
  expect(socket.calls).toEqual(['close 1000']);
});

describe('STOMP 1.0', () => {
  const connect10 = {};

  test('subscriptions without id are named by their destination', () => {
    const { socket, say } = connected({}, connect10);
    say('SUBSCRIBE', { destination: '/topic/x', ack: 'client' });
    say('SEND', { destination: '/topic/x' });
    const message = socket.frames[0] as Frame;
    expect([message.header('subscription'), message.header('ack')]).toEqual([undefined, undefined]);
    say('ACK', { 'message-id': message.header('message-id') });
    say('UNSUBSCRIBE', { destination: '/topic/x' });
    say('SEND', { destination: '/topic/x', receipt: 'r' });
    expect(socket.commands).toEqual(['MESSAGE', 'RECEIPT']);
  });

  test('headers that cannot be said without escapes are left out for such a receiver', () => {
    const { pod, socket, say } = connected({}, connect10);
    say('SUBSCRIBE', { destination: '/user/queue/x' });
    const headers = [
      ['good', 'a:b'],
      ['two\nlines', 'x'],
      ['bad', 'x\ny'],
      ['return', 'x\ry'],
      ['co:lon', 'x'],
    ] as const;
    expect(deliverToUser(pod.broker, 'alice', '/queue/x', new Uint8Array(), headers)).toBe(1);
    const message = socket.frames[0] as Frame;
    expect([...message.headers()].map(([name]) => name)).toEqual([
      'destination',
      'message-id',
      'good',
      'content-length',
    ]);
  });

  test('NACK and a CR in a header are refused', () => {
    for (const frame of ['NACK\nmessage-id:1\n\n\0', 'SUBSCRIBE\nid:a\rb\ndestination:/topic/x\nreceipt:r\rr\n\n\0']) {
      const { socket, session } = connected({}, connect10);
      session.receive(new TextEncoder().encode(frame));
      expect([socket.commands, socket.calls]).toEqual([['ERROR'], ['close 1002']]);
    }
  });
});

test('after UNSUBSCRIBE nothing comes, not even what was held back, and no ACK is taken', () => {
  const { pod, socket, say } = connected({ faults: { swapEvery: 2 } });
  say('SUBSCRIBE', { id: '1', destination: '/user/queue/x', ack: 'client' });
  for (let i = 0; i < 2; i++) deliverToUser(pod.broker, 'alice', '/queue/x', new Uint8Array(), []);
  say('UNSUBSCRIBE', { id: '1' });
  vi.advanceTimersByTime(10_000);
  expect(socket.commands).toEqual(['MESSAGE']);
  say('ACK', { id: (socket.frames[0] as Frame).header('ack') });
  expect(socket.commands).toEqual(['MESSAGE', 'ERROR']);
});

test('frames after the end are not looked at', () => {
  const { socket, say, session } = connected();
  session.receive(encode('DISCONNECT'));
  say('SEND', { destination: '/nowhere' });
  session.end(1001, 'again');
  expect([socket.commands, socket.calls]).toEqual([[], ['close 1000']]);
});
