/** Ends wait for their turn, and until it comes the socket is not open. */
import { Duplex } from 'node:stream';
import { beforeEach, expect, test, vi } from 'vitest';
import { PlainSocket } from '../../proxy/relay/web-socket.ts';

const waiting = vi.hoisted((): (() => void)[] => []);
vi.mock('../../proxy/relay/ends.ts', () => ({ atEnd: (work: () => void) => void waiting.push(work) }));

beforeEach(() => void waiting.splice(0));

function setUp() {
  const told: number[] = [];
  const written: Uint8Array[] = [];
  const duplex = new Duplex({
    read() {},
    write(chunk: Uint8Array, _encoding, done) {
      written.push(chunk);
      done();
    },
  });
  const limits = { highMarkBytes: 1024, maxMessageBytes: 1024, maxParts: 1, closeMaxMs: 1000 };
  const handlers = { onMessage: () => {}, onClose: (code: number) => told.push(code), onDrain: () => {} };
  const socket = new PlainSocket({ peer: 'server', checksText: false, ...limits }, handlers, () => 0);
  socket.open(duplex);
  return { duplex, socket, told, written };
}

test('a connection whose peer has ended is not open, takes nothing, and is ended in its turn', async () => {
  const { duplex, socket, written } = setUp();
  duplex.push(null);
  await vi.waitFor(() => expect(waiting).toHaveLength(1));
  socket.send(Buffer.from('lost'), false);
  socket.flush();
  expect([socket.isOpen, duplex.writableEnded, written]).toEqual([false, false, []]);
  waiting.shift()?.();
  expect(duplex.writableEnded).toBe(true);
  await vi.waitFor(() => expect(waiting).toHaveLength(1)); // its close
});

test('a connection that broke is not open, and its end is told in its turn, once', async () => {
  const { duplex, socket, told } = setUp();
  duplex.destroy(new Error('reset'));
  await vi.waitFor(() => expect(waiting).toHaveLength(1));
  expect([socket.isOpen, told]).toEqual([false, []]);
  waiting.shift()?.();
  duplex.emit('close');
  expect([told, waiting]).toEqual([[1006], []]);
});
