/** How a session over HTTP shows that it lives, and asks its client to. */
import type { ServerResponse } from 'node:http';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { DISCONNECT_DELAY_MS, HttpSocket } from '../../proxy/listeners/sockjs/http-socket.ts';
import { type Transport, transports } from '../../proxy/listeners/sockjs/receiver.ts';
import { Response } from './response.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function setUp() {
  const told: string[] = [];
  const handlers = {
    onMessage: () => {},
    onNoText: () => {},
    onClose: (code: number) => told.push(`closed ${code}`),
    onDrain: () => told.push('drained'),
    onTold: () => told.push('told'),
    onForgotten: () => told.push('forgotten'),
  };
  const socket = new HttpSocket({ highMarkBytes: 100, messageMaxChars: 1000 }, handlers, handlers, () => Date.now());
  const receive = (transport: Transport) => {
    const response = new Response();
    socket.receive(response as unknown as ServerResponse, transport, {});
    return response;
  };
  const send = async (text: string) => {
    socket.send(new TextEncoder().encode(text));
    await Promise.resolve();
  };
  return { socket, told, receive, send };
}

const { xhr, xhr_streaming } = transports;
const PRELUDE = `${'h'.repeat(2048)}\n`;

describe('an idle receiver gets a heart-beat', () => {
  test('after 25 s, again and again, and not sooner after a message', async () => {
    const { receive, send } = setUp();
    const stream = receive(xhr_streaming);
    vi.advanceTimersByTime(24_999);
    expect(stream.text).toBe(`${PRELUDE}o\n`);
    await send('x');
    vi.advanceTimersByTime(24_999);
    expect(stream.text).toBe(`${PRELUDE}o\na["x"]\n`);
    vi.advanceTimersByTime(25_001);
    expect(stream.text).toBe(`${PRELUDE}o\na["x"]\nh\nh\n`);
  });

  test('which ends a poll', () => {
    const { receive } = setUp();
    receive(xhr);
    const poll = receive(xhr);
    vi.advanceTimersByTime(25_000);
    expect([poll.text, poll.writableEnded]).toEqual(['h\n', true]);
  });
});

describe('a ping', () => {
  test('ends a stream with a heart-beat, so that its client comes back and is heard', () => {
    const { socket, receive } = setUp();
    const stream = receive(xhr_streaming);
    vi.advanceTimersByTime(1_000);
    socket.ping();
    expect([stream.text, stream.writableEnded]).toEqual([`${PRELUDE}o\nh\n`, true]);
    expect(Date.now() - socket.heardAtMs).toBe(1_000);
    receive(xhr_streaming);
    expect(Date.now() - socket.heardAtMs).toBe(0);
  });

  test('without a receiver changes nothing', () => {
    const { socket, receive, told } = setUp();
    receive(xhr);
    socket.ping();
    expect(told).toEqual([]);
  });
});

describe('a client that stays away', () => {
  test.each([
    [DISCONNECT_DELAY_MS - 1, []],
    [DISCONNECT_DELAY_MS, ['closed 1006', 'told', 'forgotten']],
  ])('for %i ms: %j', (ms, expected) => {
    const { receive, told } = setUp();
    receive(xhr);
    vi.advanceTimersByTime(ms);
    expect(told).toEqual(expected);
  });

  test('while its stream is there is none', () => {
    const { receive, told } = setUp();
    receive(xhr_streaming);
    vi.advanceTimersByTime(10 * DISCONNECT_DELAY_MS);
    expect(told).toEqual([]);
  });
});

describe('the high mark', () => {
  // Two of the octets of a message are quotation marks.
  test.each([
    [97, false],
    [98, false],
    [99, true],
  ])('of 100: %i octets of text, full %j', async (length, isFull) => {
    const { socket, send } = setUp();
    await send('x'.repeat(length));
    expect(socket.isFull).toBe(isFull);
  });

  test('counts what a response has not got rid of, and is left when half of it has gone', async () => {
    const { socket, receive, send, told } = setUp();
    const stream = receive(xhr_streaming);
    stream.isStuck = true;
    await send('x'.repeat(200));
    expect(socket.isFull).toBe(true);
    socket.ping();
    expect(told).toEqual([]);
    stream.leave();
    expect([socket.isFull, told]).toEqual([false, ['drained']]);
  });
});

test('a client may ask again before its response has left us, once; it is served when it has', async () => {
  const { receive, send } = setUp();
  receive(xhr);
  const first = receive(xhr);
  first.isStuck = true;
  await send('one');
  const second = receive(xhr);
  const third = receive(xhr);
  await send('two');
  expect([second.text, third.text]).toEqual(['', 'c[2010,"Another connection still open"]\n']);
  first.leave();
  expect([first.text, second.text]).toEqual(['a["one"]\n', 'a["two"]\n']);
});

describe('after a close', () => {
  test('what was sent before comes first, then the close, to whoever asks', async () => {
    const { socket, receive, send, told } = setUp();
    receive(xhr);
    await send('last');
    socket.close(1012, 'bye');
    expect([receive(xhr), receive(xhr), receive(xhr)].map(({ text }) => text)).toEqual([
      'a["last"]\n',
      'c[1012,"bye"]\n',
      'c[1012,"bye"]\n',
    ]);
    expect(told).toEqual(['told']);
    vi.advanceTimersByTime(DISCONNECT_DELAY_MS);
    expect(told).toEqual(['told', 'closed 1006', 'forgotten']);
  });

  test('a client that does not take it is not waited for', () => {
    const { socket, receive, told } = setUp();
    const stream = receive(xhr_streaming);
    stream.isStuck = true;
    socket.close(1000, '');
    vi.advanceTimersByTime(DISCONNECT_DELAY_MS);
    expect(stream.destroyed).toBe(true);
    expect(told).toEqual(['closed 1006', 'told', 'forgotten']);
  });
});

test('a response that breaks off ends the session at once; o never comes again', async () => {
  const { receive, send, told } = setUp();
  const stream = receive(xhr_streaming);
  stream.isStuck = true;
  await send('lost?');
  stream.destroy();
  expect(told).toEqual(['closed 1006', 'told']);
  expect(receive(xhr).text).toBe('c[1002,"Connection interrupted"]\n');
});
