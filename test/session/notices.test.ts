/** /holdfast/session: the destination that the proxy answers itself. */
import { expect, test } from 'vitest';
import { notices, Playbook, SUB_A } from './playbook.ts';

const HEAR = 'SUBSCRIBE id:h destination:/holdfast/session';

function hearing(subscriptions = [SUB_A, HEAR]): Playbook {
  return Playbook.opened(subscriptions);
}

function moved(play: Playbook): Playbook {
  return play.grant('b').forget().connects(2).forget().pod(2, 'RECEIPT receipt-id:holdfast-barrier-1').shows();
}

test('a subscription is answered by the proxy and never sent upstream', () => {
  const play = Playbook.opened().client(`${HEAR} receipt:r`).shows('client < RECEIPT receipt-id:r');
  play.grant('b').forget().connects(2);
  expect(play.shown.filter((line) => line.includes('/holdfast/session'))).toEqual([]);
  play.forget();
});

test('it is answered without a link', () => {
  Playbook.opened().ends(1).forget().client(`${HEAR} receipt:r`).shows('client < RECEIPT receipt-id:r');
});

test('a handover that ended in order is proven', () => {
  const play = moved(hearing()).event({ type: 'committed' }).shows().at(5_000).forget().ends(1, 1000);
  expect(notices(play.shown)).toEqual([
    { type: 'moved', from: 'a', to: 'b', planned: true, gapMs: 0, continuity: 'proven' },
  ]);
  expect(play.shown[0]).toMatch(
    /^client < MESSAGE subscription:h message-id:holdfast-1 destination:\/holdfast\/session content-type:application\/json \| /,
  );
  play.forget();
});

test('a handover whose old link was cut is not', () => {
  const play = moved(hearing()).ends(1, 1006);
  expect(notices(play.shown)).toMatchObject([{ planned: true, continuity: 'unproven' }]);
  play.forget();
});

test('a recovery never is', () => {
  const play = hearing().ends(1).forget().grant('b', 'recovery').forget().at(40).connects(2).forget();
  play.pod(2, 'RECEIPT receipt-id:holdfast-barrier-1');
  expect(notices(play.shown)).toEqual([
    { type: 'moved', from: 'a', to: 'b', planned: false, gapMs: 40, continuity: 'unproven' },
  ]);
  play.forget();
});

test('the first link and a handover that is kept are nothing to tell', () => {
  const play = hearing().grant('b').forget().ends(2, 1006);
  expect(notices(play.shown)).toEqual([]);
  play.forget();
});

test('each subscription gets its own copy', () => {
  const play = moved(hearing([SUB_A, HEAR, 'SUBSCRIBE id:i destination:/holdfast/session'])).ends(1, 1001);
  expect(play.shown.map((line) => line.split(' ')[3])).toEqual(['subscription:h', 'subscription:i']);
  play.forget();
});

test('UNSUBSCRIBE ends it, and is not sent upstream', () => {
  const play = hearing().client('UNSUBSCRIBE id:h receipt:u').shows('client < RECEIPT receipt-id:u');
  moved(play).ends(1, 1001).shows();
  play.client('UNSUBSCRIBE id:h').shows('2 < UNSUBSCRIBE id:h');
});

test('STOMP 1.0, where the destination may name a subscription: other ones are not taken for ours', () => {
  const play = Playbook.opened(['SUBSCRIBE destination:/holdfast/session', 'SUBSCRIBE destination:/queue/a']);
  play.client('UNSUBSCRIBE destination:/queue/a').shows('1 < UNSUBSCRIBE destination:/queue/a');
  play.client('UNSUBSCRIBE destination:/holdfast/session').shows();
});

test('a session that was apart from others of its user is told that it may have missed something', () => {
  const play = Playbook.opened([SUB_A, 'SUBSCRIBE id:h destination:/holdfast/session']).event({ type: 'was-apart' });
  expect(notices(play.shown)).toEqual([
    { type: 'moved', from: 'a', to: 'a', planned: false, gapMs: 0, continuity: 'unproven' },
  ]);
  play.forget();
});

test('one without a link is not: it will be told of its gap', () => {
  const play = Playbook.opened([SUB_A, 'SUBSCRIBE id:h destination:/holdfast/session']).ends(1, 1006).forget();
  play.event({ type: 'was-apart' }).shows();
});
