/** What is held is bounded: past the mark, reading stops. */
import { describe, expect, test } from 'vitest';
import { HELD_OVERHEAD_BYTES, Hold } from '../../proxy/session/hold.ts';
import { bytes } from './notation.ts';
import { Playbook } from './playbook.ts';

const SEND = 'SEND destination:/app/x | 0123456789';
const SEND_BYTES = bytes(SEND).byteLength + HELD_OVERHEAD_BYTES;
const MESSAGE = 'MESSAGE subscription:1 message-id:1 destination:/user/queue/a | 0123456789';
const MESSAGE_BYTES = bytes(MESSAGE).byteLength + HELD_OVERHEAD_BYTES;

describe("the client's frames, with room for exactly three", () => {
  const outage = (holdBytes: number) => Playbook.opened(undefined, { holdBytes }).ends(1).forget();

  test.each([
    ['one byte more than they take', 1],
    ['exactly what they take', 0],
  ])('reading goes on: %s', (_, spare) => {
    const play = outage(3 * SEND_BYTES + spare);
    for (let i = 0; i < 3; i++) play.client(SEND).shows();
  });

  test('one byte less: reading stops, what is here is kept, and goes on when it is gone', () => {
    const play = outage(3 * SEND_BYTES - 1)
      .client(SEND)
      .shows()
      .client(SEND)
      .shows();
    play.client(SEND).shows('pause client');
    play.client(SEND).shows();
    expect(play.session.held).toEqual({ bytes: 4 * SEND_BYTES, frames: 4 });
    play.grant('b', 'recovery').forget().connects(2).forget();
    play.pod(2, 'RECEIPT receipt-id:holdfast-barrier-1').shows(...Array(4).fill(`2 < ${SEND}`), 'resume client');
  });
});

const asked = (id: string) => `SEND destination:/app/x receipt:${id}`;
const ASKED_BYTES = bytes(asked('r')).byteLength + HELD_OVERHEAD_BYTES;

test('frames that wait for their receipts count, and are let go with them', () => {
  const play = Playbook.opened(undefined, { holdBytes: ASKED_BYTES });
  play.client(asked('r')).shows(`1 < ${asked('r')}`);
  play.client(asked('s')).shows(`1 < ${asked('s')}`, 'pause client');
  play.pod(1, 'RECEIPT receipt-id:r').shows('client < RECEIPT receipt-id:r', 'resume client');
});

test.each([
  [0, []],
  [-1, ['pause client']],
])('they count together with frames that wait for a link: room for one of each and %d bytes', (spare, pause) => {
  const play = Playbook.opened(undefined, { holdBytes: ASKED_BYTES + SEND_BYTES + spare });
  play
    .client(asked('r'))
    .shows(`1 < ${asked('r')}`)
    .ends(1)
    .forget();
  play.client(SEND).shows(...pause);
});

describe('messages, with room for exactly two', () => {
  const switched = (holdBytes: number) => Playbook.switched({ holdBytes });

  test.each([0, 1])('reading goes on with %d bytes to spare', (spare) => {
    switched(2 * MESSAGE_BYTES + spare)
      .pod(2, MESSAGE)
      .shows()
      .pod(2, MESSAGE)
      .shows();
  });

  test('one byte less: the new link is paused, the old one is read on, and both when all is delivered', () => {
    const play = switched(2 * MESSAGE_BYTES - 1)
      .pod(2, MESSAGE)
      .shows();
    play.pod(2, MESSAGE).shows('pause 2');
    play.pod(1, MESSAGE).shows(`client < ${MESSAGE}`);
    play.at(50).shows(`client < ${MESSAGE}`, `client < ${MESSAGE}`, 'resume 2');
  });
});

test('a link between the oldest and the newest is paused too, for its messages are held as well', () => {
  const play = Playbook.switched({ holdBytes: MESSAGE_BYTES }).grant('c').forget().connects(3).forget();
  play.pod(3, 'RECEIPT receipt-id:holdfast-barrier-2').shows().pod(2, MESSAGE).shows();
  play.pod(2, MESSAGE).shows('pause 2', 'pause 3');
  expect(play.shell.links.get(1)?.paused).toBe(false);
});

test('before the switch it is the new link that is paused, not the one that the session lives on', () => {
  const play = Playbook.replaying({ holdBytes: MESSAGE_BYTES }).pod(2, MESSAGE).shows();
  play.pod(2, MESSAGE).shows('pause 2');
});

describe('Hold', () => {
  const item = (size: number) => ({ bytes: new Uint8Array(size), binary: false });

  test('takes in order what is ready and keeps the rest in order', () => {
    const hold = new Hold<ReturnType<typeof item>>();
    const items = [1, 2, 3, 4].map(item);
    for (const each of items) hold.push(each);
    expect(hold.take(({ bytes: { length } }) => length % 2 === 0)).toEqual([items[1], items[3]]);
    expect([...hold]).toEqual([items[0], items[2]]);
    expect(hold.bytes).toBe(4 + 2 * HELD_OVERHEAD_BYTES);
    expect(hold.takeAll()).toEqual([items[0], items[2]]);
    expect(hold.bytes).toBe(0);
  });
});
