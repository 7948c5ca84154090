/** A client that is not to be read: its bodies stay where they are, and have no answer. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { HttpSocket } from '../../proxy/listeners/sockjs/http-socket.ts';
import { eventually } from '../support/proxy.ts';
import { Response } from './response.ts';

function setUp() {
  const messages: string[] = [];
  const handlers = {
    onMessage: (bytes: Uint8Array) => messages.push(Buffer.from(bytes).toString()),
    ...{ onNoText: () => {}, onClose: () => {}, onDrain: () => {}, onTold: () => {}, onForgotten: () => {} },
  };
  const socket = new HttpSocket({ highMarkBytes: 100, messageMaxChars: 1000 }, handlers, handlers, () =>
    performance.now(),
  );
  const take = () => {
    const request = Object.assign(new PassThrough({ highWaterMark: 4 }), { headers: {} });
    const response = new Response();
    socket.take(request as unknown as IncomingMessage, response as unknown as ServerResponse);
    return { request, response };
  };
  return { socket, messages, take };
}

/** Whatever would happen by itself has happened. */
async function settled(): Promise<void> {
  for (let turns = 0; turns < 20; turns++) await turn();
}

test('nothing is read of a body that comes while the client is paused for any reason', async () => {
  const { socket, messages, take } = setUp();
  socket.pause('one', true);
  socket.pause('other', true);
  const { request, response } = take();
  request.end('["a"]');
  await settled();
  socket.pause('one', false);
  await settled();
  expect([messages, response.writableEnded]).toEqual([[], false]);
  socket.pause('other', false);
  await eventually(() => expect([messages, response.status, response.writableEnded]).toEqual([['a'], 204, true]));
  socket.abort();
});

test('a body that was begun is read no further, and the next ones wait behind it, in order', async () => {
  const { socket, messages, take } = setUp();
  const first = take();
  const second = take();
  first.request.write('["a"');
  await eventually(() => expect(messages).toEqual(['a']));
  socket.pause('full', true);
  first.request.end(',"b"]');
  second.request.end('["c"]');
  await settled();
  expect([messages, first.response.writableEnded]).toEqual([['a'], false]);
  socket.pause('full', false);
  await eventually(() => expect(messages).toEqual(['a', 'b', 'c']));
  await eventually(() => expect(second.response.writableEnded).toBe(true));
  socket.abort();
});

test('after a close nobody waits for an answer', async () => {
  const { socket, messages, take } = setUp();
  socket.pause('full', true);
  const waiting = take();
  waiting.request.end('["a"]');
  socket.close(1000, '');
  const late = take();
  expect([waiting.response.status, late.response.status]).toEqual([204, 204]);
  await settled();
  expect(messages).toEqual([]);
  socket.abort();
});
