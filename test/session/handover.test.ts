import { expect, test } from 'vitest';
import { always, Playbook, SUB_A } from './playbook.ts';

const TO_SWITCH = 'RECEIPT receipt-id:holdfast-barrier-1';

test('until the barrier nothing leaves the old link: SEND goes there, MESSAGE comes from there', () => {
  const play = Playbook.replaying();
  play.client('SEND destination:/app/x | 1').shows('1 < SEND destination:/app/x | 1');
  play
    .pod(1, 'MESSAGE subscription:1 message-id:1 destination:/user/queue/a')
    .shows('client < MESSAGE subscription:1 message-id:1 destination:/user/queue/a');
  expect(play.session.pod?.name).toBe('a');
});

test('at the barrier the frames of the client switch to the new link', () => {
  const play = Playbook.replaying().pod(2, TO_SWITCH).shows();
  expect(play.shell.clientRoute).toBe(2);
  play.client('SEND destination:/app/x | 1').shows('2 < SEND destination:/app/x | 1');
  play.client('SEND destination:/app/x receipt:r').shows('2 < SEND destination:/app/x receipt:r');
});

test('the facts of a handover', () => {
  const play = Playbook.opened().grant('b').forget().opens(2).forget();
  expect(play.known('handover-started')).toMatchObject([{ from: { name: 'a' }, to: { name: 'b' } }]);
  play.at(30).pod(2, 'CONNECTED version:1.2').forget();
  expect(play.known('link-live')).toMatchObject([{ pod: { name: 'b' }, cause: 'handover', tookMs: 30 }]);
  play.pod(2, TO_SWITCH);
  expect(play.known('switched')).toMatchObject([{ from: { name: 'a' }, to: { name: 'b' } }]);
  play.event({ type: 'committed' }).shows().after(5_000).forget().ends(1, 1000);
  expect(play.known('handed-over')).toMatchObject([{ from: { name: 'a' }, to: { name: 'b' }, gapMs: 0, proven: true }]);
});

test('when the old link is gone messages pass by again', () => {
  const play = Playbook.switched();
  expect(play.shell.links.get(2)?.route).toBe('ask');
  play.ends(1, 1001).shows();
  expect(play.shell.links.get(2)?.route).toBe('pass');
});

test('a receipt that the old link owes is still taken from it', () => {
  const play = Playbook.replaying().client('SEND destination:/app/x receipt:r').forget().pod(2, TO_SWITCH).shows();
  play.pod(2, 'RECEIPT receipt-id:r').shows();
  play.pod(1, 'RECEIPT receipt-id:r').shows('client < RECEIPT receipt-id:r');
  play.pod(1, 'RECEIPT receipt-id:r').shows();
  expect(play.session.held.bytes).toBe(0);
});

test('a SEND whose receipt the old link never gave before it was cut is sent again, marked, on the new one', () => {
  const play = Playbook.replaying().client('SEND destination:/app/x receipt:r').forget().pod(2, TO_SWITCH).shows();
  play.ends(1, 1006).shows('2 < SEND holdfast-replay:recovery destination:/app/x receipt:r');
  play.pod(2, 'RECEIPT receipt-id:r').shows('client < RECEIPT receipt-id:r');
});

test("an old link's answer to DISCONNECT acknowledges all that went before it: nothing is sent again", () => {
  const play = Playbook.replaying().client('SEND destination:/app/x receipt:r').forget().pod(2, TO_SWITCH).shows();
  play.event({ type: 'committed' }).shows().after(5_000).shows('1 < DISCONNECT receipt:holdfast-close-2');
  play.pod(1, 'RECEIPT receipt-id:holdfast-close-2').shows('close 1 close', 'client < RECEIPT receipt-id:r');
  expect(play.session.held.bytes).toBe(0);
});

test('a second handover may begin while the first one drains; each old link ends for itself', () => {
  const play = Playbook.switched().grant('c').shows('dial 3 c handover');
  play.connects(3).forget().pod(3, 'RECEIPT receipt-id:holdfast-barrier-2').shows();
  expect(play.session.pod?.name).toBe('c');
  play.ends(1, 1001).shows();
  expect(play.shell.links.get(3)?.route).toBe('ask');
  play.ends(2, 1001).shows();
  expect(play.shell.links.get(3)?.route).toBe('pass');
  expect(play.known('handed-over')).toMatchObject([
    { from: { name: 'a' }, to: { name: 'b' } },
    { from: { name: 'b' }, to: { name: 'c' } },
  ]);
});

test('a newer choice replaces a handover that is under way', () => {
  const play = Playbook.replaying().grant('c').shows('2 < DISCONNECT receipt:holdfast-close-2', 'dial 3 c handover');
  expect(play.known('link-failed')).toMatchObject([{ pod: { name: 'b' }, blame: 'nobody', kept: true }]);
  play.pod(2, TO_SWITCH).shows();
  expect(play.session.pod?.name).toBe('a');
});

test('a handover that is given up may have brought messages already: its link is read until it answers DISCONNECT', () => {
  const message = 'MESSAGE subscription:1 message-id:1 destination:/user/queue/a';
  const play = Playbook.replaying().grant('c').forget().pod(2, message).shows();
  play.pod(2, 'RECEIPT receipt-id:holdfast-close-2').shows('close 2 close').at(50).shows(`client < ${message}`);
  expect(play.known('handed-over')).toEqual([]);
});

test('one that has not heard of the subscriptions is cut', () => {
  Playbook.opened().grant('b').forget().opens(2).forget().grant('c').shows('close 2 abort', 'dial 3 c handover');
});

test('a second grant of the pod that is being connected changes nothing', () => {
  const play = Playbook.replaying().grant('b').shows();
  play.pod(2, TO_SWITCH).shows();
  expect(play.session.pod?.name).toBe('b');
});

test('back to a pod whose old link still drains: that link is the primary one again, with nothing to say', () => {
  const play = Playbook.switched().grant('a').shows();
  expect(play.session.pod?.name).toBe('a');
  expect(play.known('link-live').at(-1)).toMatchObject({ pod: { name: 'a' }, tookMs: 0 });
  play.ends(2, 1001).shows();
  expect(play.shell.links.get(1)?.route).toBe('pass');
});

test('an old link is taken up again only when it has proven the subscriptions made since', () => {
  const play = Playbook.switched().client('SUBSCRIBE id:2 destination:/topic/b').forget().grant('a').shows();
  expect(play.session.pod?.name).toBe('b');
  play.pod(1, 'RECEIPT receipt-id:holdfast-barrier-2').shows().grant('a').shows();
  expect(play.session.pod?.name).toBe('a');
});

test.each([199, 200])('without receipts an old link proves them by settleMs, at %d ms', (ms) => {
  const play = Playbook.opened(undefined, { profileOf: always('spring') })
    .grant('b')
    .forget()
    .connects(2)
    .forget();
  play.after(200).shows().client('SUBSCRIBE id:2 destination:/topic/b').forget().after(ms).shows().grant('a').shows();
  expect(play.session.pod?.name).toBe(ms < 200 ? 'b' : 'a');
});

test('back to a pod whose old link is closing already: the session stays where it is', () => {
  const play = Playbook.switched().event({ type: 'committed' }).shows().after(5_000).forget();
  play.grant('a').shows();
  expect(play.session.pod?.name).toBe('b');
  expect(play.known('link-failed')).toMatchObject([{ pod: { name: 'a' }, blame: 'session', kept: true }]);
});

test('a grant of the pod where the session is, or after it has left, only frees the slot', () => {
  const play = Playbook.opened().grant('a').shows();
  play.client('DISCONNECT receipt:bye').forget().grant('b').shows();
  expect(play.known('link-failed')).toMatchObject([{ why: 'no longer wanted' }, { why: 'no longer wanted' }]);
});

test('a grant for a move that comes after the link was lost is not taken for the recovery', () => {
  const play = Playbook.opened([SUB_A]).ends(1).forget().grant('b', 'handover').shows();
  expect(play.known('link-failed')).toMatchObject([{ cause: 'handover', blame: 'nobody' }]);
});
