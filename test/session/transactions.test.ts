import { expect, test } from 'vitest';
import { TRANSACTIONS_MAX } from '../../proxy/session/client.ts';
import { HELD_OVERHEAD_BYTES } from '../../proxy/session/hold.ts';
import { bytes } from './notation.ts';
import { always, Playbook } from './playbook.ts';

const BARRIER = 'RECEIPT receipt-id:holdfast-barrier-1';

test.each(['COMMIT', 'ABORT'])('the switch waits for the end of a transaction: %s', (end) => {
  const play = Playbook.replaying()
    .client('BEGIN transaction:t')
    .shows('1 < BEGIN transaction:t')
    .pod(2, BARRIER)
    .shows();
  expect(play.session.pod?.name).toBe('a');
  play.client('SEND destination:/x transaction:t').shows('1 < SEND destination:/x transaction:t');
  play.client(`${end} transaction:t`).shows(`1 < ${end} transaction:t`);
  expect(play.session.pod?.name).toBe('b');
});

test('it waits for the last of several', () => {
  const play = Playbook.replaying().client('BEGIN transaction:t').forget().client('BEGIN transaction:u').forget();
  play.pod(2, BARRIER).shows().client('COMMIT transaction:t').forget();
  expect(play.session.pod?.name).toBe('a');
  play.client('ABORT transaction:u').forget();
  expect(play.session.pod?.name).toBe('b');
});

test.each([2_999, 3_000])('it waits for barrier-max, then the transaction moves along: at %d ms', (ms) => {
  const play = Playbook.replaying().client('BEGIN transaction:t').forget();
  play.client('SEND destination:/x transaction:t | 1').forget().pod(2, BARRIER).shows().at(ms);
  play.shows(
    ...(ms < 3_000
      ? []
      : [
          '1 < ABORT transaction:t',
          '2 < BEGIN holdfast-replay:recovery transaction:t',
          '2 < SEND holdfast-replay:recovery destination:/x transaction:t | 1',
        ]),
  );
  expect(play.session.pod?.name).toBe(ms < 3_000 ? 'a' : 'b');
});

test('one that cannot move along keeps the session where it is', () => {
  const play = Playbook.opened(['SUBSCRIBE id:1 destination:/queue/a ack:client'])
    .grant('b')
    .forget()
    .connects(2)
    .forget();
  play.pod(1, 'MESSAGE subscription:1 destination:/queue/a message-id:m ack:x').forget();
  play.client('BEGIN transaction:t').forget().client('ACK id:x transaction:t').forget().pod(2, BARRIER).shows();
  play.at(3_000).shows('2 < DISCONNECT receipt:holdfast-close-2');
  expect(play.session.pod?.name).toBe('a');
});

test('subscriptions that change while the switch waits are made on both links', () => {
  const play = Playbook.replaying().client('BEGIN transaction:t').forget().pod(2, BARRIER).shows();
  play.client('SUBSCRIBE id:2 destination:/b');
  expect(play.shown).toContain('2 < SUBSCRIBE holdfast-replay:handover receipt:holdfast-barrier-2 id:2 destination:/b');
  play.forget();
});

function endsTorn(play: Playbook): void {
  expect(play.shown[0]).toContain('client < ERROR message:transaction~lost');
  expect(play.shown.at(-1)).toBe('close client 1011 continuity');
  play.forget();
}

/** An open transaction with one SEND that has its receipt and one that has not. */
function open(options = {}): Playbook {
  const play = Playbook.opened(undefined, options).client('BEGIN transaction:t').forget();
  play.client('SEND destination:/x transaction:t receipt:1 | 1').forget().pod(1, 'RECEIPT receipt-id:1').forget();
  return play.client('SEND destination:/x transaction:t receipt:2 | 2').forget();
}

const recovered = (play: Playbook) =>
  play.forget().grant('b', 'recovery').forget().connects(2).forget().pod(2, BARRIER);

test('an open transaction is said again whole on the next link, and each receipt is asked for once', () => {
  recovered(open().ends(1)).shows(
    '2 < BEGIN holdfast-replay:recovery transaction:t',
    '2 < SEND holdfast-replay:recovery destination:/x transaction:t | 1',
    '2 < SEND holdfast-replay:recovery destination:/x transaction:t receipt:2 | 2',
  );
});

test('and what the client said of it in the meantime follows', () => {
  const play = open().ends(1).forget().client('COMMIT transaction:t receipt:c').shows();
  recovered(play);
  expect(play.shown.at(-1)).toBe('2 < COMMIT transaction:t receipt:c');
  play.forget().pod(2, 'RECEIPT receipt-id:2').shows('client < RECEIPT receipt-id:2');
  play.pod(2, 'RECEIPT receipt-id:c').shows('client < RECEIPT receipt-id:c');
  expect(play.session.held).toEqual({ bytes: 0, frames: 0 });
});

test('the old link is lost while the switch waits for the transaction: there is nothing to wait for any more', () => {
  const play = Playbook.replaying().client('BEGIN transaction:t').forget().pod(2, BARRIER).shows();
  play.ends(1).shows('2 < BEGIN holdfast-replay:recovery transaction:t');
  expect(play.session.pod?.name).toBe('b');
});

const KEPT = ['BEGIN transaction:t', 'SEND destination:/x transaction:t'];
const KEPT_BYTES = KEPT.reduce((sum, said) => sum + bytes(said).byteLength + HELD_OVERHEAD_BYTES, 0);

test.each([
  [KEPT_BYTES + 1, 'is'],
  [KEPT_BYTES, 'is'],
  [KEPT_BYTES - 1, 'is not'],
])('with room for %d bytes a transaction %s kept', (holdBytes, is) => {
  const play = Playbook.opened(undefined, { holdBytes });
  for (const said of KEPT) play.client(said).forget();
  play.ends(1);
  if (is === 'is') play.shows('request recovery 0');
  else endsTorn(play);
});

test('one with an ACK cannot be said again: its delivery is gone', () => {
  const play = Playbook.opened(['SUBSCRIBE id:1 destination:/queue/a ack:client']);
  play.pod(1, 'MESSAGE subscription:1 destination:/queue/a message-id:m ack:x').forget();
  endsTorn(play.client('BEGIN transaction:t').forget().client('ACK id:x transaction:t').forget().ends(1));
});

test('nor one of which an application behind a relay has taken a frame', () => {
  const play = Playbook.opened(undefined, { profileOf: always('spring-relay') })
    .client('BEGIN transaction:t')
    .forget();
  endsTorn(play.client('SEND destination:/app/x transaction:t').forget().ends(1));
});

test("Spring's simple broker knows no transactions: nothing is kept and nothing torn", () => {
  const play = Playbook.opened(undefined, { profileOf: always('spring') })
    .client('BEGIN transaction:t')
    .forget();
  play.client('SEND destination:/x transaction:t').forget().ends(1).shows('request recovery 0');
});

test('nor one that is lost before the receipt of COMMIT: its outcome is unknown', () => {
  const play = Playbook.opened()
    .client('BEGIN transaction:t')
    .forget()
    .client('COMMIT transaction:t receipt:c')
    .forget();
  endsTorn(play.ends(1));
});

test('the same on an old link', () => {
  const play = Playbook.replaying().client('BEGIN transaction:t').forget().pod(2, BARRIER).shows();
  play.client('COMMIT transaction:t receipt:c').shows('1 < COMMIT transaction:t receipt:c');
  endsTorn(play.ends(1));
});

test('a transaction that was committed with its receipt is done', () => {
  const play = Playbook.opened()
    .client('BEGIN transaction:t')
    .forget()
    .client('COMMIT transaction:t receipt:c')
    .forget();
  play.pod(1, 'RECEIPT receipt-id:c').shows('client < RECEIPT receipt-id:c').ends(1).shows('request recovery 0');
});

test('as many open transactions as the limit, and one more', () => {
  const play = Playbook.opened();
  const begin = (n: number) => `BEGIN transaction:t${n}`;
  for (let n = 1; n <= TRANSACTIONS_MAX; n++) play.client(begin(n)).shows(`1 < ${begin(n)}`);
  play
    .client('ABORT transaction:t1')
    .shows('1 < ABORT transaction:t1')
    .client(begin(1))
    .shows(`1 < ${begin(1)}`);
  play.client(begin(0));
  expect(play.shown[0]).toContain('client < ERROR message:too~many~transactions');
  expect(play.shown.at(-1)).toBe('close client 1002 client-protocol');
  play.forget();
});
