import { expect, test } from 'vitest';
import { TRANSACTIONS_MAX } from '../../proxy/session/client.ts';
import { Playbook } from './playbook.ts';

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

test.each([2_999, 3_000])('it waits for barrier-max, then the session is kept where it is: at %d ms', (ms) => {
  const play = Playbook.replaying().client('BEGIN transaction:t').forget().pod(2, BARRIER).shows().at(ms);
  play.shows(...(ms < 3_000 ? [] : ['2 < DISCONNECT receipt:holdfast-close-2']));
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

test('a link that is lost with an open transaction cannot be carried on', () => {
  endsTorn(Playbook.opened().client('BEGIN transaction:t').forget().ends(1));
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
