/** The rules that the proxy keeps itself, whatever a backend would say. */
import { expect, test } from 'vitest';
import { Playbook, SUB_A } from './playbook.ts';

function refuses(play: Playbook, frame: string, error: string): void {
  play.client(frame);
  expect(play.shown[0]).toMatch(new RegExp(`^client < ERROR message:${error}`));
  expect(play.shown.at(-1)).toBe('close client 1002 client-protocol');
  play.forget();
}

test.each(['CONNECT accept-version:1.2', 'STOMP accept-version:1.2'])('a second %s', (frame) => {
  refuses(Playbook.opened(), frame, 'already~connected');
});

test.each([
  'SEND destination:/x receipt:holdfast-1',
  'DISCONNECT receipt:holdfast-leave',
  'SUBSCRIBE id:2 destination:/x receipt:holdfast-barrier-1',
])('a receipt that is ours: %s', (frame) => refuses(Playbook.opened(), frame, 'reserved~receipt'));

test.each([
  'SUBSCRIBE id:2 destination:/holdfast/other',
  'SEND destination:/holdfast/session',
  'SEND destination:/holdfast/x',
])('a destination that is ours: %s', (frame) => refuses(Playbook.opened(), frame, 'reserved~destination'));

test('the ERROR names the frame that asked for a receipt', () => {
  refuses(Playbook.opened(), 'SEND destination:/holdfast/x receipt:mine', 'reserved~destination receipt-id:mine');
});

test('the rules hold while there is no link', () => {
  refuses(Playbook.opened().ends(1).forget(), 'CONNECT accept-version:1.2', 'already~connected');
});

const subscribe = (id: number) => `SUBSCRIBE id:${id} destination:/queue/${id}`;

test('as many subscriptions as the limit, and one more', () => {
  const play = Playbook.opened([subscribe(1), subscribe(2)], { subscriptionsMax: 3 });
  play.client(subscribe(3)).shows(`1 < ${subscribe(3)}`);
  refuses(play, subscribe(4), 'too~many~subscriptions');
});

test('one that was ended makes room', () => {
  const play = Playbook.opened([subscribe(1), subscribe(2)], { subscriptionsMax: 2 });
  play
    .client('UNSUBSCRIBE id:1')
    .forget()
    .client(subscribe(3))
    .shows(`1 < ${subscribe(3)}`);
});

test('subscriptions to our own destination count', () => {
  const play = Playbook.opened([subscribe(1), 'SUBSCRIBE id:h destination:/holdfast/session'], { subscriptionsMax: 2 });
  refuses(play, subscribe(2), 'too~many~subscriptions');
});

test('the limit holds for subscriptions that were held', () => {
  const play = Playbook.opened([SUB_A], { subscriptionsMax: 2 }).ends(1).forget();
  play.client(subscribe(2)).shows().client(subscribe(3)).shows().grant('b', 'recovery').forget().connects(2).forget();
  play.pod(2, 'RECEIPT receipt-id:holdfast-barrier-1');
  expect(play.shown[0]).toBe(`2 < ${subscribe(2)}`);
  expect(play.shown[1]).toContain('client < ERROR message:too~many~subscriptions');
  play.forget();
});

test.each([
  'ACK id:1',
  'NACK id:1',
  'BEGIN transaction:t',
  'SEND destination:/app/x receipt:r | x',
  'UNSUBSCRIBE id:unknown',
])('%s goes to the pod as it is', (frame) => {
  Playbook.opened().client(frame).shows(`1 < ${frame}`);
});
