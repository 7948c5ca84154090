/** Connections on their way to another process: how many may wait, and that not one octet of them is lost. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { Recording, unread } from '../../proxy/listeners/homes.ts';
import { HANDS_MAX, HandQueue } from '../../proxy/workers/hand-queue.ts';
import { stopReading } from '../../proxy/workers/stop-reading.ts';

/** Both ends of a connection. */
async function connection(): Promise<{ client: Socket; accepted: Socket }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const arrives = once(server, 'connection');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await arrives) as [Socket];
  onTestFinished(() => {
    client.destroy();
    accepted.destroy();
    server.close();
  });
  return { client, accepted };
}

/** What counts is whether it is cut. */
const idle = () => {
  let isCut = false;
  const socket = { pause: () => {}, destroy: () => (isCut = true) } as unknown as Socket;
  return { socket, isCut: () => isCut };
};

test('as many wait as there is room for; the next one is cut', () => {
  const done: ((error: Error | null) => void)[] = [];
  const queue = new HandQueue<number>((_message, _socket, sent) => done.push(sent));
  const first = Array.from({ length: HANDS_MAX }, idle);
  for (const [n, { socket }] of first.entries()) queue.pass(n, socket);
  const late = idle();
  queue.pass(HANDS_MAX, late.socket);
  expect([done.length, first.some(({ isCut }) => isCut()), late.isCut()]).toEqual([HANDS_MAX, false, true]);
  done[0]?.(null);
  const next = idle();
  queue.pass(0, next.socket);
  expect(next.isCut()).toBe(false);
});

test('what waits is cut when the other side is gone, and what has left is not', () => {
  const done: ((error: Error | null) => void)[] = [];
  const queue = new HandQueue<number>((_message, _socket, sent) => done.push(sent));
  const [gone, waiting] = [idle(), idle()];
  queue.pass(0, gone.socket);
  queue.pass(1, waiting.socket);
  done[0]?.(null);
  queue.cut();
  expect([gone.isCut(), waiting.isCut()]).toEqual([false, true]);
});

test('one that could not be sent is cut', () => {
  const queue = new HandQueue<number>((_message, _socket, sent) => sent(new Error('the channel is closed')));
  const { socket, isCut } = idle();
  queue.pass(0, socket);
  expect(isCut()).toBe(true);
});

test('a connection that is stopped is not read, as a paused one would be: what comes waits in the system', async () => {
  const { client, accepted } = await connection();
  client.write('before');
  await once(accepted, 'readable');
  stopReading(accepted);
  expect(String(unread(accepted))).toBe('before');
  stopReading(accepted);
  const bytes = accepted.bytesRead;
  client.write('after');
  // Until something has gone the same way that is read.
  const other = await connection();
  other.client.write('x');
  await once(other.accepted, 'data');
  expect(accepted.bytesRead).toBe(bytes);
});

test('a recording holds what was read, as it came, and what nobody has taken yet', async () => {
  const { client, accepted } = await connection();
  const recording = new Recording(accepted, 5);
  const read = new Promise<void>((resolve) => {
    accepted.on('data', (chunk: Buffer) => {
      // As a reader of frames does, with whatever it gets.
      chunk.fill(0);
      accepted.pause();
      accepted.unshift(Buffer.from('unread'));
      resolve();
    });
  });
  client.write('read ');
  await read;
  expect(String(recording.take())).toBe('read unread');
});

test.each([
  [9, false],
  [10, false],
  [11, true],
])('of a client that says %d octets before it is known, where 10 are allowed: cut is %j', async (octets, isCut) => {
  const { client, accepted } = await connection();
  const recording = new Recording(accepted, 10);
  client.end(Buffer.alloc(octets, 'x'));
  const first = await new Promise((resolve) => {
    for (const event of ['end', 'close']) accepted.once(event, () => resolve(event));
  });
  expect(first).toBe(isCut ? 'close' : 'end');
  expect(recording.take().length === octets).toBe(!isCut);
});
