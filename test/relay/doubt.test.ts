/** Whether a peer is still there is in doubt from the moment it is not read any more until it has answered. */
import { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { PlainSocket } from '../../proxy/relay/web-socket.ts';

const PONG = Buffer.from([0x8a, 0x00]);
const PING_LENGTH = 6;

function setUp() {
  const written: Buffer[] = [];
  let drains = 0;
  let now = 100;
  const duplex = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk);
      done();
    },
  });
  const limits = { highMarkBytes: 1024, maxMessageBytes: 1024, maxParts: 1, closeMaxMs: 1000 };
  const handlers = { onMessage: () => {}, onClose: () => {}, onDrain: () => void drains++ };
  const socket = new PlainSocket({ peer: 'server', checksText: false, ...limits }, handlers, () => now);
  socket.open(duplex);
  const at = (ms: number) => {
    now = ms;
    return socket;
  };
  return { duplex, socket, written, at, drains: () => drains };
}

test('it is asked when it is read again, and its answer is told once', async () => {
  const { duplex, socket, written, at, drains } = setUp();
  expect(socket.inDoubtSinceMs).toBeUndefined();
  at(200).hold(true);
  expect([socket.inDoubtSinceMs, socket.isPaused, written]).toEqual([200, true, []]);
  at(300).hold(false);
  expect([socket.inDoubtSinceMs, socket.isPaused]).toEqual([300, false]);
  await expect.poll(() => written.map(({ length }) => length)).toEqual([PING_LENGTH]);
  expect(drains()).toBe(0);
  duplex.push(PONG);
  await expect.poll(drains).toBe(1);
  expect(socket.inDoubtSinceMs).toBeUndefined();
  duplex.push(PONG);
  await new Promise(setImmediate);
  expect(drains()).toBe(1);
});

test('time in which we ourselves were not running does not count', () => {
  const { socket, at } = setUp();
  at(200).hold(true);
  at(300).hold(false);
  at(1_300).excuse(400);
  expect(socket.inDoubtSinceMs).toBe(700);
  socket.excuse();
  expect(socket.inDoubtSinceMs).toBe(1_300);
});
