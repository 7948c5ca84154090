/** Frames that pass at once: what the system takes is gone, and what it does not take is kept, whatever becomes of the octets they were in. */
import { Duplex } from 'node:stream';
import { describe, expect, test } from 'vitest';
import { PlainSocket } from '../../proxy/relay/web-socket.ts';

const HIGH_MARK_BYTES = 100;

/** A client's socket; `takes` says whether the system takes what is written at once, else `take` does for all that waits. */
function client() {
  const waiting: { readonly chunk: Buffer; readonly done: () => void }[] = [];
  const heard: Buffer[] = [];
  const system = { takes: true };
  let drains = 0;
  const duplex = new Duplex({
    highWaterMark: 1024 * 1024,
    read() {},
    write(chunk: Buffer, _encoding, done) {
      if (system.takes) {
        heard.push(Buffer.from(chunk));
        return done();
      }
      waiting.push({ chunk, done });
    },
  });
  const take = async () => {
    while (waiting.length > 0) {
      const { chunk, done } = waiting.shift() as (typeof waiting)[number];
      heard.push(Buffer.from(chunk));
      done();
      await new Promise(setImmediate);
    }
  };
  const limits = { highMarkBytes: HIGH_MARK_BYTES, maxMessageBytes: 1024, maxParts: 1, closeMaxMs: 1000 };
  const handlers = { onMessage: () => {}, onClose: () => {}, onDrain: () => void drains++ };
  const socket = new PlainSocket({ peer: 'client', checksText: true, ...limits }, handlers, () => 0);
  socket.open(duplex);
  const lent = Buffer.alloc(1024);
  /** As a link does it: the octets are others afterwards. */
  const pass = (text: string) => {
    lent.write(text, 7);
    socket.passFrames(lent, 7, 7 + text.length);
    lent.fill('?');
  };
  return {
    socket,
    system,
    take,
    pass,
    heard: () => Buffer.concat(heard).toString(),
    writes: heard,
    drains: () => drains,
  };
}

test('what the system takes is written within the call', () => {
  const { pass, writes } = client();
  pass('one');
  pass('two');
  expect(writes.map(String)).toEqual(['one', 'two']);
});

test('what it does not take is kept, in order with all that is said later', async () => {
  const { socket, system, take, pass, heard } = client();
  system.takes = false;
  pass('one ');
  pass('two ');
  socket.send(Buffer.from('three'), false);
  pass(' four');
  await new Promise(setImmediate);
  await take();
  expect(heard()).toBe('one two \x81\x05three four'.replace('\x81', '\ufffd'));
});

test('what it does not take is not written over by what others pass', async () => {
  const one = client();
  const other = client();
  one.system.takes = false;
  one.pass('one');
  other.pass('two');
  await one.take();
  expect([one.heard(), other.heard()]).toEqual(['one', 'two']);
});

test('what was said before goes before it', async () => {
  const { socket, pass, heard } = client();
  socket.send(Buffer.from('one'), false);
  pass(' two');
  await new Promise(setImmediate);
  expect(heard().slice(2)).toBe('one two');
});

test('nothing is written once the socket is closing', () => {
  const { socket, pass, writes } = client();
  socket.close(1000, '');
  const before = writes.length;
  pass('late');
  expect(writes.length).toBe(before);
});

describe.each([-1, 0, 1])('the high mark and %i', (more) => {
  test.each([
    ['at once', 0],
    ['behind what waits', 40],
  ])('in frames that come %s', async (_, before) => {
    const { socket, system, take, pass, heard, drains } = client();
    system.takes = false;
    if (before > 0) pass('b'.repeat(before));
    pass('x'.repeat(HIGH_MARK_BYTES + more - before));
    expect(socket.isFull).toBe(more > 0);
    await new Promise(setImmediate);
    await take();
    expect([socket.isFull, drains()]).toEqual([false, more > 0 ? 1 : 0]);
    expect(heard().length).toBe(HIGH_MARK_BYTES + more);
  });
});

describe('a link', () => {
  const PLAIN = Buffer.from([0x81, 1, 0x61]);

  /** One whose frames are all passed on. */
  function link() {
    let read = (_lent: Uint8Array, _length: number): void => {};
    let now = 0;
    const asked: { readonly from: number; readonly end: number; readonly readAtMs: number }[] = [];
    const messages: string[] = [];
    const limits = { highMarkBytes: HIGH_MARK_BYTES, maxMessageBytes: 1024, maxParts: 1, closeMaxMs: 1000 };
    const handlers = {
      onFrames: (octets: Uint8Array, from: number, end: number, readAtMs: number) => {
        asked.push({ from, end, readAtMs });
        return octets[from] === PLAIN[0] ? from + PLAIN.length : from;
      },
      onMessage: (bytes: Uint8Array) => messages.push(Buffer.from(bytes).toString()),
      onClose: () => {},
      onDrain: () => {},
    };
    const socket = new PlainSocket({ peer: 'server', checksText: false, ...limits }, handlers, () => now);
    socket.open(new Duplex({ read() {}, write() {} }), (reader) => {
      read = reader;
    });
    const at = (ms: number, ...octets: number[]) => {
      now = ms;
      // What was read before still lies behind it.
      read(Uint8Array.from([...octets, ...PLAIN]), octets.length);
    };
    return { socket, at, asked, messages };
  }

  test('is heard when its frames pass', () => {
    const { socket, at, asked } = link();
    at(500, ...PLAIN);
    expect(asked).toEqual([{ from: 0, end: PLAIN.length, readAtMs: 500 }]);
    expect([socket.heardAtMs, socket.heardDataAtMs]).toEqual([500, 500]);
  });

  test('is not heard of data when nothing passes', () => {
    const { socket, at } = link();
    at(500, 0x8a, 0);
    expect([socket.heardAtMs, socket.heardDataAtMs]).toEqual([500, 0]);
  });

  test('is not asked about the middle of a frame, however it looks', () => {
    const { at, asked, messages } = link();
    at(1, 0x82, PLAIN.length);
    at(2, ...PLAIN);
    expect([asked, messages.length]).toEqual([[{ from: 0, end: 2, readAtMs: 1 }], 1]);
  });
});
