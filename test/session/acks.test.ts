/** Acknowledgements: each to the link of its delivery, while that is open, and nowhere else. */
import { describe, expect, test } from 'vitest';
import { ACKS_MAX, Acks } from '../../proxy/session/acks.ts';
import { frame } from './notation.ts';
import { always, Playbook } from './playbook.ts';

const INDIVIDUAL = 'SUBSCRIBE id:1 destination:/queue/work ack:client-individual';
const CUMULATIVE = 'SUBSCRIBE id:1 destination:/queue/work ack:client';
const BARRIER = 'RECEIPT receipt-id:holdfast-barrier-1';

function delivery(ack: string, more = ''): string {
  return `MESSAGE subscription:1 message-id:m-${ack} destination:/queue/work ack:${ack}${more}`;
}

/** An open session at b (link 2), whose old link 1 to a still delivers. */
function switched(subscribe: string, options = {}): Playbook {
  const play = Playbook.opened([subscribe], options).grant('b').forget().connects(2).forget();
  return play.pod(2, BARRIER).shows();
}

describe('where an ACK goes', () => {
  test.each(['ACK', 'NACK'])('%s with one link', (command) => {
    const play = Playbook.opened([INDIVIDUAL])
      .pod(1, delivery('x'))
      .shows(`client < ${delivery('x')}`);
    play.client(`${command} id:x`).shows(`1 < ${command} id:x`);
  });

  test('in a handover: to the link that delivered', () => {
    const play = switched(INDIVIDUAL).pod(1, delivery('a1')).forget().at(60).pod(2, delivery('b1')).at(120).forget();
    play.client('ACK id:a1').shows('1 < ACK id:a1');
    play.client('ACK id:b1').shows('2 < ACK id:b1');
  });

  test('of a link that is gone: nowhere, it is counted, and a receipt that was asked for is answered', () => {
    const play = switched(INDIVIDUAL).pod(1, delivery('a1')).forget().ends(1, 1001).shows();
    play.client('ACK id:a1 receipt:r').shows('client < RECEIPT receipt-id:r');
    expect(play.known('ack-dropped').length).toBe(1);
    play.client('ACK id:a1').shows();
    expect(play.known('ack-dropped').length).toBe(1);
  });

  test('nor after the DISCONNECT of the old link', () => {
    const play = switched(INDIVIDUAL).pod(1, delivery('a1')).forget().event({ type: 'committed' }).shows();
    play.after(5_000).shows('1 < DISCONNECT receipt:holdfast-close-2');
    play.client('ACK id:a1').shows();
    expect(play.known('ack-dropped').length).toBe(1);
  });

  test('one that came in an outage waits, and then has no link any more', () => {
    const play = Playbook.opened([INDIVIDUAL]).pod(1, delivery('a1')).forget().ends(1).forget();
    play.client('ACK id:a1').shows().grant('b', 'recovery').forget().connects(2).forget();
    play.pod(2, BARRIER).shows();
    expect(play.known('ack-dropped').length).toBe(1);
  });

  test('an id that nobody knows goes to the only link that there ever was, and nowhere once there were two', () => {
    Playbook.opened([INDIVIDUAL]).client('ACK id:old').shows('1 < ACK id:old');
    const play = switched(INDIVIDUAL).ends(1, 1001).shows().client('ACK id:old').shows();
    expect(play.known('ack-dropped').length).toBe(1);
  });

  test('in a transaction it must be of the same link as the transaction, which would else be torn', () => {
    const play = switched(INDIVIDUAL).pod(1, delivery('a1')).forget().client('BEGIN transaction:t').forget();
    play.client('ACK id:a1 transaction:t');
    expect(play.shown[0]).toContain('client < ERROR message:transaction~lost');
    play.forget();
  });

  test('a receipt that its link owes is answered when the link ends', () => {
    const play = switched(INDIVIDUAL).pod(1, delivery('a1')).forget();
    play.client('ACK id:a1 receipt:r').shows('1 < ACK id:a1 receipt:r');
    play.ends(1, 1006).shows('client < RECEIPT receipt-id:r');
  });
});

test('what a shared queue delivers after the DISCONNECT of its link is not shown: it is given out again', () => {
  const play = Playbook.opened([INDIVIDUAL], { profileOf: always('rabbitmq') })
    .grant('b')
    .forget()
    .connects(2)
    .forget();
  play.pod(2, BARRIER).shows().event({ type: 'committed' }).shows().after(5_000).forget();
  play.pod(1, delivery('a1')).shows().pod(2, delivery('b1', ' redelivered:true'));
  play.shows(`client < ${delivery('b1', ' redelivered:true')}`);
});

test('what a shared queue delivers after the DISCONNECT of the client is not shown: another link may have it again by now', () => {
  const play = Playbook.opened([INDIVIDUAL], { profileOf: always('rabbitmq') })
    .grant('b')
    .forget()
    .connects(2)
    .forget();
  play.pod(2, BARRIER).shows().client('DISCONNECT receipt:bye').forget();
  play.pod(1, delivery('a1')).shows().pod(2, delivery('b1', ' redelivered:true')).shows();
});

test('the receipt of an ACK on a new link that ends before the switch is answered: the message is given out again', () => {
  const play = Playbook.opened([INDIVIDUAL], { profileOf: always('rabbitmq') })
    .grant('b')
    .forget()
    .connects(2)
    .forget();
  play.pod(2, delivery('b1')).forget().client('ACK id:b1 receipt:r').shows('2 < ACK id:b1 receipt:r');
  play.ends(2, 1006).shows('close 2 abort', 'client < RECEIPT receipt-id:r');
  expect(play.session.held).toEqual({ bytes: 0, frames: 0 });
});

describe('ids', () => {
  test('the same id of two links: the second is shown under another name, and understood by its pod', () => {
    const play = switched(INDIVIDUAL).pod(1, delivery('1')).forget().at(60).pod(2, delivery('1')).at(120);
    play.shows('client < MESSAGE ack:1+1 subscription:1 message-id:m-1 destination:/queue/work');
    play.client('ACK id:1+1').shows('2 < ACK id:1').client('ACK id:1').shows('1 < ACK id:1');
  });

  test('an id that was acknowledged can come again as it is', () => {
    const play = switched(INDIVIDUAL).pod(1, delivery('1')).forget().client('ACK id:1').forget().ends(1, 1001).shows();
    play.pod(2, delivery('1')).shows(`client < ${delivery('1')}`);
  });

  test.each([
    ['1.1', 'message-id:7 subscription:1'],
    ['1.0', 'message-id:7'],
  ])('STOMP %s names a delivery by %s', (version, names) => {
    const acks = new Acks();
    acks.subscribe(frame(INDIVIDUAL, 'client'));
    const message = frame('MESSAGE subscription:1 message-id:7 destination:/queue/work', 'server');
    acks.note(message, 1, version as '1.1');
    expect(acks.take(frame(`ACK ${names}`, 'client'), version as '1.1')).toMatchObject({ link: 1, id: '7' });
  });
});

describe('the mode client', () => {
  const three = () => {
    const play = Playbook.opened([CUMULATIVE]);
    for (const id of ['1', '2', '3']) play.pod(1, delivery(id)).forget();
    return play;
  };

  test('an ACK takes those before it along, and they can be acknowledged no more', () => {
    const play = three().client('ACK id:2').shows('1 < ACK id:2');
    expect(play.session.unacknowledged).toBe(1);
  });

  test('only of its own subscription', () => {
    const play = Playbook.opened([CUMULATIVE, 'SUBSCRIBE id:2 destination:/queue/other ack:client']);
    play.pod(1, 'MESSAGE subscription:2 message-id:o destination:/queue/other ack:o').forget();
    play.pod(1, delivery('1')).forget().client('ACK id:1').forget();
    expect(play.session.unacknowledged).toBe(1);
  });

  test('client-individual takes only itself', () => {
    const play = Playbook.opened([INDIVIDUAL]);
    for (const id of ['1', '2']) play.pod(1, delivery(id)).forget();
    play.client('ACK id:2').forget();
    expect(play.session.unacknowledged).toBe(1);
  });

  test('UNSUBSCRIBE: nothing of it is waited for any more', () => {
    expect(three().client('UNSUBSCRIBE id:1').forget().session.unacknowledged).toBe(0);
  });
});

describe('repeats by id', () => {
  const withId = (ack: string, more = '') => delivery(ack, ` holdfast-id:i${more}`);

  test('one that a producer sent twice: the client is not told, the proxy acknowledges it', () => {
    const play = Playbook.opened([INDIVIDUAL]).pod(1, withId('1')).forget();
    play.pod(1, withId('2')).shows('1 < ACK id:2');
    expect(play.known('duplicate-dropped').length).toBe(1);
  });

  test('in the mode client that would acknowledge what the client has not: it waits for the client', () => {
    const play = Playbook.opened([CUMULATIVE]).pod(1, withId('1')).forget().pod(1, withId('2')).shows();
    play.client('ACK id:1').shows('1 < ACK id:1', '1 < ACK id:2');
    expect(play.session.unacknowledged).toBe(0);
  });

  test('what a broker gives out again, and marks, goes to the client, whatever its id', () => {
    const play = switched(INDIVIDUAL).pod(1, withId('1')).forget().ends(1, 1006).shows();
    const again = withId('2', ' redelivered:true');
    play.pod(2, again).shows(`client < ${again}`);
    expect(play.known('duplicate-dropped')).toEqual([]);
  });

  test('the first delivery of it that comes after that, from a link that was not read, does not', () => {
    const play = switched(INDIVIDUAL).pod(2, withId('2', ' redelivered:true')).at(60);
    play
      .shows(`client < ${withId('2', ' redelivered:true')}`)
      .pod(1, withId('1'))
      .shows('1 < ACK id:1');
    expect(play.known('duplicate-dropped')).toHaveLength(1);
  });

  test('of a broker that does not mark all of it (Artemis) everything goes that has to be acknowledged', () => {
    const play = switched(INDIVIDUAL, { profileOf: always('artemis') })
      .pod(1, withId('1'))
      .forget();
    play.ends(1, 1006).shows();
    const again = withId('2', ' redelivered:false');
    play.pod(2, again).shows(`client < ${again}`);
    play.client('ACK id:2').shows('2 < ACK id:2');
  });
});

test.each([
  [0, 1],
  [1, 1],
  [2, undefined],
])('%d more deliveries than are remembered: the first is of link %j', (more, link) => {
  const acks = new Acks();
  acks.subscribe(frame(INDIVIDUAL, 'client'));
  for (let n = 1; n < ACKS_MAX + more; n++) acks.note(frame(delivery(`${n}`), 'server'), 1, '1.2');
  expect(acks.size).toBe(Math.min(ACKS_MAX, ACKS_MAX + more - 1));
  expect(acks.take(frame('ACK id:1', 'client'), '1.2')?.link).toBe(link);
});

test('messages pass by the session only while none has to be acknowledged', () => {
  const play = Playbook.opened([INDIVIDUAL]);
  expect(play.shell.links.get(1)?.route).toBe('ask');
  play.client('UNSUBSCRIBE id:1').forget();
  expect(play.shell.links.get(1)?.route).toBe('pass');
});
