/** The doors must do what they are named for, or chaos proves nothing. */
import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { FaultDoor } from './fault-door.ts';

/** An echo behind a door, and a connection to it that has been through once. */
async function setting() {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const door = await FaultDoor.open(`127.0.0.1:${(server.address() as AddressInfo).port}`);
  onTestFinished(async () => {
    await door.close();
    server.close();
  });
  const dial = async () => {
    const socket = connect(Number(door.address.split(':')[1]), '127.0.0.1');
    onTestFinished(() => void socket.destroy());
    socket.on('error', () => {});
    await echo(socket, 'hello');
    return socket;
  };
  return { door, dial, socket: await dial() };
}

/** Sends and waits until as much is back. */
async function echo(socket: Socket, text: string): Promise<void> {
  socket.write(text);
  expect(await heard(socket, text.length)).toBe(text);
}

async function heard(socket: Socket, length: number): Promise<string> {
  let back = '';
  while (back.length < length) back += String((await once(socket, 'data'))[0]);
  return back;
}

test('latency: later, but whole and in order, also when it ends meanwhile', async () => {
  const { door, socket } = await setting();
  door.fault = { kind: 'latency', ms: 60 };
  const sinceMs = performance.now();
  const back = heard(socket, 600);
  for (let i = 100; i < 200; i++) socket.write(String(i));
  await new Promise((resolve) => setTimeout(resolve, 20));
  door.fault = { kind: 'none' };
  for (let i = 200; i < 300; i++) socket.write(String(i));
  expect(await back).toBe(Array.from({ length: 200 }, (_, i) => i + 100).join(''));
  expect(performance.now() - sinceMs).toBeGreaterThanOrEqual(40);
});

test('stall: nothing passes, and afterwards all of it', async () => {
  const { door, socket } = await setting();
  door.fault = { kind: 'stall' };
  let early = 0;
  const count = () => void early++;
  socket.on('data', count);
  const sent = 'x'.repeat(100_000);
  socket.write(sent);
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(early).toBe(0);
  socket.off('data', count);
  const back = heard(socket, sent.length);
  door.fault = { kind: 'none' };
  expect(await back).toBe(sent);
});

test('half-open: swallowed, also by new connections; reset when it ends', async () => {
  const { door, socket, dial } = await setting();
  door.fault = { kind: 'half-open' };
  let early = 0;
  socket.on('data', () => void early++);
  socket.write('lost');
  const fresh = connect(Number(door.address.split(':')[1]), '127.0.0.1');
  fresh.on('error', () => {});
  fresh.on('data', () => void early++);
  fresh.write('lost too');
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect([early, socket.closed, fresh.closed]).toEqual([0, false, false]);
  const over = Promise.all([socket, fresh].map((each) => new Promise((resolve) => each.once('close', resolve))));
  door.fault = { kind: 'none' };
  await over;
  await dial();
});

test('reset: an error at the peer, and new connections work', async () => {
  const { door, socket, dial } = await setting();
  const error = once(socket, 'error');
  door.reset();
  expect((await error)[0]).toMatchObject({ code: 'ECONNRESET' });
  await dial();
});

test('a pod that starts again elsewhere is found behind the same address', async () => {
  const { door } = await setting();
  const server = createServer((socket) => void socket.end('other'));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  door.target = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  const socket = connect(Number(door.address.split(':')[1]), '127.0.0.1');
  expect(await heard(socket, 5)).toBe('other');
});
