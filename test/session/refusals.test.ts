/** Pods that say ERROR and go on, as RabbitMQ does, and receipts that never come. */
import { expect, test } from 'vitest';
import { GIVEN_UP_MAX, RECEIPT_MAX_MS, Receipts } from '../../proxy/session/receipts.ts';
import { frame } from './notation.ts';
import { Playbook, SUB_A } from './playbook.ts';

const REFUSED = 'SUBSCRIBE id:2 destination:/nonsense/b';
const replayed = (shown: readonly string[], link: number) =>
  shown.filter((line) => line.startsWith(`${link} < SUBSCRIBE`)).map((line) => /(?<= )id:\d/.exec(line)?.[0]);

/** Its second SUBSCRIBE was answered with an ERROR that does not say what it is about. */
function refused(): Playbook {
  return Playbook.opened([SUB_A, REFUSED]).at(100).shows().pod(1, 'ERROR message:Unknown~destination').forget();
}

test('a subscription that the pod refused does not keep the session from moving, and is dropped', () => {
  const play = refused().grant('b').forget().connects(2).forget();
  play.pod(2, 'RECEIPT receipt-id:holdfast-barrier-1').shows().pod(2, 'ERROR message:Unknown~destination').shows();
  expect(play.session.pod?.name).toBe('b');
  play.grant('c').forget().connects(3);
  expect(replayed(play.shown, 3)).toEqual(['id:1']);
  play.forget();
});

test('nor from being recovered; what was held goes then', () => {
  const play = refused().at(6_000).shows().ends(1).forget().client('SEND destination:/app/x').shows();
  play.grant('b', 'recovery').forget().connects(2).forget();
  play.pod(2, 'RECEIPT receipt-id:holdfast-barrier-1').shows();
  play.pod(2, 'ERROR message:Unknown~destination').shows('2 < SEND destination:/app/x');
});

test('one that was not in doubt is: the ERROR is about the oldest that is not answered', () => {
  const sure = Playbook.opened([SUB_A]).at(6_000).shows().client(REFUSED).forget();
  sure.at(6_100).shows().pod(1, 'ERROR message:Unknown~destination').forget().grant('b').forget().connects(2).forget();
  sure.pod(2, 'ERROR message:no');
  expect(sure.known('link-failed')).toMatchObject([{ kept: true, why: 'ERROR: no' }]);
  sure.forget();
});

test.each([5_000, 5_001])('an ERROR %d ms after a SUBSCRIBE', (ms) => {
  const play = Playbook.opened([SUB_A]).at(ms).shows().pod(1, 'ERROR message:x').forget().grant('b').forget();
  play.connects(2).forget().pod(2, 'ERROR message:x').forget();
  expect(play.session.pod?.name).toBe(ms === 5_000 ? 'b' : 'a');
});

test('a subscription whose receipt has come is not in doubt', () => {
  const play = Playbook.opened([`${SUB_A} receipt:r`])
    .pod(1, 'RECEIPT receipt-id:r')
    .forget();
  play.pod(1, 'ERROR message:x').forget().grant('b').forget().connects(2).forget().pod(2, 'ERROR message:x').forget();
  expect(play.session.pod?.name).toBe('a');
});

test('a pod that speaks of its own trouble refuses no subscription', () => {
  const play = refused().grant('b').forget().connects(2).forget();
  play.pod(2, 'RECEIPT receipt-id:holdfast-barrier-1').shows().pod(2, 'ERROR message:Broker~not~available.').forget();
  expect(play.known('link-failed')).toMatchObject([{ blame: 'pod' }]);
});

test('an ERROR that names the frame: it is not owed any more, nor said again', () => {
  const play = Playbook.opened([SUB_A]).client(`${REFUSED} receipt:s`).forget();
  play.client('SEND destination:/app/x receipt:t').forget();
  for (const id of ['s', 't']) play.pod(1, `ERROR message:no receipt-id:${id}`).forget();
  expect(play.session.held.frames).toBe(0);
  play.at(6_000).shows().ends(1).forget().grant('b', 'recovery').forget().connects(2);
  expect(replayed(play.shown, 2)).toEqual(['id:1']);
  play.forget().pod(2, 'RECEIPT receipt-id:holdfast-barrier-1').shows();
});

test('receipts that never come stop the client for a while, not for ever; one that comes after all is passed on', () => {
  const play = Playbook.opened([], { holdBytes: 100 }).at(1_000).shows();
  play.client(`SEND destination:/app/x receipt:r | ${'x'.repeat(100)}`);
  expect(play.shown).toContain('pause client');
  play
    .forget()
    .at(1_000 + RECEIPT_MAX_MS - 1)
    .shows();
  play
    .at(1_000 + RECEIPT_MAX_MS)
    .shows('resume client')
    .pod(1, 'RECEIPT receipt-id:r')
    .shows('client < RECEIPT receipt-id:r');
  play.pod(1, 'RECEIPT receipt-id:r').shows();
});

test.each([RECEIPT_MAX_MS - 1, RECEIPT_MAX_MS])('a SEND is owed %d ms when its link is lost', (ms) => {
  const play = Playbook.opened([]).client('SEND destination:/app/x receipt:r').forget().at(ms).shows().ends(1).forget();
  play.at(50_000).shows().grant('b', 'recovery').forget().connects(2);
  const isResent = play.shown.some((line) => line.startsWith('2 < SEND'));
  expect(isResent).toBe(ms < RECEIPT_MAX_MS);
  play.forget();
});

test.each([GIVEN_UP_MAX - 1, GIVEN_UP_MAX])('an id is remembered past %d newer ones', (newer) => {
  const receipts = new Receipts();
  for (let i = 0; i <= newer; i++) receipts.owe(frame(`SEND destination:/a receipt:${i}`, 'client'), 1, false, 0);
  receipts.giveUp(RECEIPT_MAX_MS);
  expect([receipts.length, receipts.bytes]).toEqual([0, 0]);
  expect(receipts.takeGivenUp('0')).toBe(newer < GIVEN_UP_MAX);
});
