/** Topics of which every pod delivers its own copy: over a handover the client gets each message once, in order. */
import { describe, expect, test } from 'vitest';
import { fingerprint } from '../../proxy/session/fingerprint.ts';
import { HELD_OVERHEAD_BYTES } from '../../proxy/session/hold.ts';
import type { ProfileName } from '../../proxy/session/index.ts';
import { DRAINS_MAX } from '../../proxy/session/options.ts';
import { COPY_LATE_MAX_MS, SHOWN_MAX, SKEW_MS, Splice } from '../../proxy/session/splice.ts';
import { bytes, frame } from './notation.ts';
import { always, Playbook } from './playbook.ts';

const NEWS = 'SUBSCRIBE id:n destination:/topic/news';
const BARRIER = 'RECEIPT receipt-id:holdfast-barrier-1';

/** As RabbitMQ says it: the id is of the link, everything else of the producer. */
function copy(link: number, body: string, id = body): string {
  return `MESSAGE subscription:n destination:/topic/news message-id:${link}-${id} | ${body}`;
}

const shown = (link: number, ...all: string[]) => all.map((body) => `client < ${copy(link, body)}`);

const RABBITMQ = { profileOf: always('rabbitmq') };

/** Link 1 to a leads, link 2 to b follows and is being subscribed. */
function replaying(options = {}): Playbook {
  return Playbook.opened([NEWS], { ...RABBITMQ, ...options })
    .grant('b')
    .forget()
    .connects(2)
    .forget();
}

const switched = (options = {}) => replaying(options).pod(2, BARRIER).shows();

describe('while both links live', () => {
  test('the old link leads, the same from the new one is dropped, whichever comes first', () => {
    const play = switched()
      .pod(1, copy(1, 'x'))
      .shows(...shown(1, 'x'));
    play.pod(2, copy(2, 'x')).shows();
    play
      .pod(2, copy(2, 'y'))
      .shows()
      .pod(1, copy(1, 'y'))
      .shows(...shown(1, 'y'));
    expect(play.session.held).toEqual({ bytes: 0, frames: 0 });
  });

  test('when the old link ends, what only the new one has goes, in its order, at once', () => {
    const play = switched().pod(1, copy(1, 'x')).forget();
    for (const body of ['x', 'y', 'z']) play.pod(2, copy(2, body)).shows();
    play.ends(1, 1006).shows(...shown(2, 'y', 'z'));
    play.pod(2, copy(2, 'w')).shows(...shown(2, 'w'));
  });

  test('and what the old one had shown before is dropped when the new one brings it late', () => {
    const play = switched().pod(1, copy(1, 'x')).forget().pod(1, copy(1, 'y')).forget().ends(1, 1006).shows();
    play
      .pod(2, copy(2, 'x'))
      .shows()
      .pod(2, copy(2, 'y'))
      .shows()
      .pod(2, copy(2, 'z'))
      .shows(...shown(2, 'z'));
  });

  test('two producers in another order on each link: each message once, each producer in order', () => {
    const play = switched();
    for (const body of ['p1', 'q1', 'p2']) play.pod(1, copy(1, body)).forget();
    for (const body of ['q1', 'q2', 'p1', 'p2']) play.pod(2, copy(2, body)).shows();
    play.ends(1, 1006).shows(...shown(2, 'q2'));
  });

  test('messages that are equal octet for octet: their number counts', () => {
    const play = switched();
    for (const id of ['1', '2']) play.pod(1, copy(1, 'tick', id)).forget();
    for (const id of ['1', '2', '3']) play.pod(2, copy(2, 'tick', id)).shows();
    play.ends(1, 1006).shows(`client < ${copy(2, 'tick', '3')}`);
  });
});

test.each([
  [SKEW_MS - 1, false],
  [SKEW_MS, true],
])('what was shown before the new link was subscribed hides an equal message for %d ms no more', (ms, isShown) => {
  const play = replaying()
    .pod(1, copy(1, 'tick', '0'))
    .forget()
    .pod(2, BARRIER)
    .shows();
  play
    .at(ms)
    .pod(2, copy(2, 'tick', '1'))
    .shows()
    .ends(1, 1006);
  play.shows(...(isShown ? [`client < ${copy(2, 'tick', '1')}`] : []));
});

test('a pod that is later with a message than the others: it is known from the dial on', () => {
  const play = Playbook.opened([NEWS], RABBITMQ)
    .grant('b')
    .forget()
    .pod(1, copy(1, 'x'))
    .shows(...shown(1, 'x'));
  play.connects(2).forget().pod(2, BARRIER).shows().pod(2, copy(2, 'x')).shows().ends(1, 1006).shows();
});

describe('what the old link showed before the new one was dialled, and the new one brings later', () => {
  /** Link 2 brings x at 0 ms and y at `ms`; link 1 had shown x long before, and shows y. */
  function late(ms: number): Playbook {
    const play = Playbook.opened([NEWS], RABBITMQ)
      .pod(1, copy(1, 'x'))
      .forget()
      .grant('b')
      .forget()
      .connects(2)
      .forget();
    play.pod(2, BARRIER).shows().pod(2, copy(2, 'x')).shows();
    return play.at(ms).shows().pod(2, copy(2, 'y')).shows();
  }

  test.each([
    [SKEW_MS, true],
    [SKEW_MS + 1, false],
  ])('y is met %d ms later: x is held still: %s', (ms, isHeld) => {
    const play = late(ms).pod(1, copy(1, 'y'));
    play
      .shows(...shown(1, 'y'))
      .ends(1, 1006)
      .shows(...(isHeld ? shown(2, 'x') : []));
  });

  test('the same when the new link is the later one with y', () => {
    const play = late(0)
      .at(SKEW_MS + 1)
      .shows()
      .pod(1, copy(1, 'z'));
    play
      .shows(...shown(1, 'z'))
      .pod(2, copy(2, 'z'))
      .shows()
      .ends(1, 1006)
      .shows();
  });

  test('not what came before the link was not read: how long that was says nothing', () => {
    const splice = new Splice(1);
    splice.join(2);
    const message = (link: number, body: string, arrivedMs: number) => {
      const read = frame(copy(link, body), 'server');
      return {
        frame: read,
        bytes: read.bytes,
        binary: false,
        link,
        destination: '',
        sequence: undefined,
        id: undefined,
        arrivedMs,
      };
    };
    expect(splice.offer(message(2, 'x', 0), 0)).toEqual([]);
    splice.read(2, false, 1);
    splice.read(2, true, 5_000);
    expect(splice.offer(message(2, 'y', 5_001), 5_001)).toEqual([]);
    expect(splice.offer(message(1, 'y', 5_002), 5_002)).toHaveLength(1);
    expect(splice.leave(1, 5_003)).toHaveLength(1);
  });
});

test('a subscription that is new between the dial and the replay is told with the others', () => {
  const play = Playbook.opened([], RABBITMQ).grant('b').forget().client(NEWS).forget().connects(2).forget();
  play
    .pod(2, BARRIER)
    .shows()
    .pod(1, copy(1, 'x'))
    .shows(...shown(1, 'x'));
  play.pod(2, copy(2, 'x')).shows();
});

test('a third link follows the second when the first has ended', () => {
  const play = switched().grant('c').forget().connects(3).forget();
  play.pod(3, 'RECEIPT receipt-id:holdfast-barrier-2').shows();
  for (const link of [2, 3]) for (const body of ['x', 'y']) play.pod(link, copy(link, body)).shows();
  play
    .pod(1, copy(1, 'x'))
    .forget()
    .ends(1, 1006)
    .shows(...shown(2, 'y'))
    .ends(2, 1006)
    .shows();
  play.pod(3, copy(3, 'z')).shows(...shown(3, 'z'));
});

test('a subscription made in the middle of a handover is led by the link that the client speaks to', () => {
  const play = Playbook.switched(RABBITMQ).client(NEWS).forget();
  play
    .pod(1, copy(1, 'x'))
    .shows()
    .pod(2, copy(2, 'x'))
    .shows(...shown(2, 'x'));
});

test('UNSUBSCRIBE forgets what is held', () => {
  const play = switched().pod(2, copy(2, 'x')).shows().client('UNSUBSCRIBE id:n').forget();
  expect(play.session.held).toEqual({ bytes: 0, frames: 0 });
});

test('queues that all links consume are not put in order: a message is on one of them', () => {
  const play = Playbook.opened(['SUBSCRIBE id:q destination:/queue/work'], RABBITMQ).grant('b').forget();
  const work = 'MESSAGE subscription:q destination:/queue/work message-id:1 | x';
  play.connects(2).forget().pod(2, BARRIER).shows().pod(1, work).forget().pod(2, work).shows(`client < ${work}`);
});

test.each(['x-queue-name:mine', 'durable:true'])('a topic with %s is such a queue', (header) => {
  const play = Playbook.opened([`${NEWS} ${header}`], RABBITMQ)
    .grant('b')
    .forget()
    .connects(2)
    .forget();
  play
    .pod(2, BARRIER)
    .shows()
    .pod(2, copy(2, 'x'))
    .shows(...shown(2, 'x'));
});

describe('the end of the old link', () => {
  const BYTES = bytes(copy(2, 'x')).byteLength + HELD_OVERHEAD_BYTES;

  test('it is drained once more when it has not yet shown what the new one began with', () => {
    const play = switched().pod(2, copy(2, 'x')).shows().event({ type: 'committed' }).shows();
    play.after(5_000).shows().pod(1, copy(1, 'x')).forget().after(5_000).forget();
    play.ends(1, 1000);
    expect(play.known('handed-over')).toMatchObject([{ proven: true }]);
    play.forget();
  });

  test('up to six times in all, and then the move is not proven', () => {
    const play = switched().pod(2, copy(2, 'x')).shows().event({ type: 'committed' }).shows();
    play
      .after(DRAINS_MAX * 5_000 - 1)
      .shows()
      .after(1)
      .shows('1 < DISCONNECT receipt:holdfast-close-2');
    play.ends(1, 1000).shows(...shown(2, 'x'));
    expect(play.known('handed-over')).toMatchObject([{ proven: false }]);
  });

  test.each([0, -1])('the hold of the new link, with room for two and %d bytes: the old one is read on', (spare) => {
    const play = switched({ holdBytes: 2 * BYTES + spare })
      .pod(2, copy(2, 'x'))
      .shows();
    play.pod(2, copy(2, 'y')).shows(...(spare < 0 ? ['pause 2'] : []));
    play.pod(1, copy(1, 'x')).shows(...shown(1, 'x'), ...(spare < 0 ? ['resume 2'] : []));
  });

  test('what an unread link has is not late: it is known however long it takes', () => {
    const play = switched({ holdBytes: BYTES - 1 })
      .pod(2, copy(2, 'y'))
      .shows('pause 2');
    play
      .pod(1, copy(1, 'x'))
      .forget()
      .after(3_000)
      .shows()
      .ends(1, 1006)
      .shows(...shown(2, 'y'), 'resume 2');
    play.pod(2, copy(2, 'x')).shows();
  });

  test('messages pass by again when nothing can come twice any more', () => {
    const play = switched().pod(1, copy(1, 'x')).forget().ends(1, 1006).shows();
    expect(play.shell.links.get(2)?.route).toBe('ask');
    play.pod(2, copy(2, 'x')).shows();
    expect(play.shell.links.get(2)?.route).toBe('pass');
  });

  test('or when the copy has not come for so long that it will not', () => {
    const play = switched().pod(1, copy(1, 'x')).forget().ends(1, 1006).shows().after(COPY_LATE_MAX_MS).shows();
    expect(play.shell.links.get(2)?.route).toBe('pass');
  });
});

describe.each<ProfileName>(['rabbitmq', 'artemis'])(
  'a backend that throws its backlog away with DISCONNECT: %s',
  (name) => {
    const BYE = '1 < DISCONNECT receipt:holdfast-close-2';
    const heard = (play: Playbook, quietMs: number) => {
      play
        .after(5_000 - quietMs)
        .forget()
        .pod(1, 'MESSAGE subscription:1 destination:/user/queue/a message-id:1')
        .forget();
      return play.after(quietMs);
    };
    const committed = () =>
      Playbook.switched({ profileOf: always(name) })
        .event({ type: 'committed' })
        .shows();

    test('an old link that was silent before it has none: the move is proven', () => {
      const play = heard(committed(), 50).shows(BYE).ends(1, 1000).forget();
      expect(play.known('handed-over')).toMatchObject([{ proven: true }]);
    });

    test('one that was not is drained once more, and then the move is not proven', () => {
      const play = heard(heard(committed(), 49).shows(), 49).shows(BYE).ends(1, 1000).forget();
      expect(play.known('handed-over')).toMatchObject([{ proven: false }]);
    });
  },
);

test.each([
  [SHOWN_MAX, true],
  [SHOWN_MAX + 1, false],
])('with %d messages that one link has shown, the first is still known to the other: %j', (count, isKnown) => {
  const splice = new Splice(1);
  splice.join(2);
  const held = (link: number, body: string) => {
    const read = frame(copy(link, body), 'server');
    return {
      ...{ frame: read, bytes: read.bytes, binary: false, link, destination: '/topic/news', arrivedMs: 0 },
      id: undefined,
      sequence: undefined,
    };
  };
  for (let n = 0; n < count; n++) splice.offer(held(1, `${n}`), 0);
  splice.offer(held(2, '0'), 0);
  expect(splice.holds(2)).toBe(!isKnown);
});

describe('fingerprint', () => {
  const of = (text: string) => fingerprint(frame(text, 'server'));
  const plain = of('MESSAGE subscription:a message-id:1 destination:/t x:y | body');

  test.each([
    'subscription:b message-id:1',
    'subscription:a message-id:2',
    'subscription:a message-id:1 ack:7',
    'redelivered:true',
    'subscription:a _AMQ_ROUTE_TO$.artemis.internal.sf.cluster.5186b237:[B@451bf969',
  ])('what a link says does not count: %s', (headers) =>
    expect(of(`MESSAGE ${headers} destination:/t x:y | body`)).toBe(plain),
  );

  test.each([
    'destination:/t x:z | body',
    'destination:/u x:y | body',
    'destination:/t x:y | bodY',
    'x:y destination:/t | body',
    'destination:/t x:y',
  ])('what a producer says does: %s', (rest) =>
    expect(of(`MESSAGE subscription:a message-id:1 ${rest}`)).not.toBe(plain),
  );

  test('100,000 messages that differ a little are told apart', () => {
    const all = new Set<string>();
    for (let n = 0; n < 100_000; n++) all.add(of(`MESSAGE destination:/t | ${n}`));
    expect(all.size).toBe(100_000);
  });
});
