/** The primary link is lost. */
import { expect, test } from 'vitest';
import type { LinkEnd } from '../../proxy/session/index.ts';
import { Playbook, SUB_A } from './playbook.ts';

/** Link 1 is lost, link 2 to b is to recover the session: replayed, its barrier is owed. */
function recovering(play: Playbook): Playbook {
  return play.ends(1).forget().grant('b', 'recovery').forget().connects(2).forget();
}
const LIVE = 'RECEIPT receipt-id:holdfast-barrier-1';

test('a link is asked for at once, and the client hears nothing of it', () => {
  const play = Playbook.opened().ends(1, 1006).shows('request recovery 0');
  expect(play.known('link-lost')).toMatchObject([{ pod: { name: 'a' }, blame: 'pod' }]);
  expect(play.shell.clientRoute).toBeUndefined();
  expect(play.session.pod).toBeUndefined();
});

test('frames of the client are held and go in order when the new link is live', () => {
  const play = Playbook.opened().ends(1).forget();
  play.client('SEND destination:/app/x | 1').shows().client('SUBSCRIBE id:2 destination:/topic/b').shows();
  play.grant('b', 'recovery').shows('dial 2 b recovery').client('SEND destination:/app/x | 2').shows();
  play.connects(2).forget();
  play
    .pod(2, LIVE)
    .shows(
      '2 < SEND destination:/app/x | 1',
      '2 < SUBSCRIBE id:2 destination:/topic/b',
      '2 < SEND destination:/app/x | 2',
    );
  expect(play.session.held).toEqual({ bytes: 0, frames: 0 });
});

test('each failed try asks again, with its number', () => {
  const play = Playbook.opened().ends(1).shows('request recovery 0').grant('b', 'recovery').forget();
  play.ends(2, { kind: 'unreachable', message: 'x' }).shows('close 2 abort', 'request recovery 1');
  play
    .grant('c', 'recovery')
    .forget()
    .ends(3, { kind: 'handshake', status: 502 })
    .shows('close 3 abort', 'request recovery 2');
});

test('the gap is measured from the loss, or from the last sign of life', () => {
  const play = Playbook.opened().at(100).shows().ends(1, { kind: 'silent', sinceMs: 5_000 }).forget();
  play.grant('b', 'recovery').forget().at(150).connects(2).forget().pod(2, LIVE).shows();
  expect(play.known('recovered')).toMatchObject([
    { from: { name: 'a' }, to: { name: 'b' }, gapMs: 5_050, attempts: 1 },
  ]);
});

test('a SEND whose receipt is owed is sent again once, marked; a plain SEND never', () => {
  const play = Playbook.opened().client('SEND destination:/app/x | plain').forget();
  play.client('SEND destination:/app/x receipt:r | asked').forget();
  recovering(play).pod(2, LIVE).shows('2 < SEND holdfast-replay:recovery destination:/app/x receipt:r | asked');
  expect(play.known('resent')).toMatchObject([{ frames: 1 }]);
  play.pod(2, 'RECEIPT receipt-id:r').shows('client < RECEIPT receipt-id:r');
  play.pod(2, 'RECEIPT receipt-id:r').shows();
});

test('a SEND whose receipt was given is not sent again', () => {
  const play = Playbook.opened()
    .client('SEND destination:/app/x receipt:r')
    .forget()
    .pod(1, 'RECEIPT receipt-id:r')
    .forget();
  recovering(play).pod(2, LIVE).shows();
});

test('resends go before what was held, in the order of the client', () => {
  const play = Playbook.opened()
    .client('SEND destination:/app/x receipt:r1 | 1')
    .forget()
    .client('SEND destination:/app/x receipt:r2 | 2')
    .forget();
  play
    .ends(1)
    .forget()
    .client('SEND destination:/app/x | 3')
    .shows()
    .grant('b', 'recovery')
    .forget()
    .connects(2)
    .forget();
  play
    .pod(2, LIVE)
    .shows(
      '2 < SEND holdfast-replay:recovery destination:/app/x receipt:r1 | 1',
      '2 < SEND holdfast-replay:recovery destination:/app/x receipt:r2 | 2',
      '2 < SEND destination:/app/x | 3',
    );
});

test('a resend that is lost again is sent again', () => {
  const play = Playbook.opened().client('SEND destination:/app/x receipt:r').forget();
  recovering(play).pod(2, LIVE).forget().ends(2).forget().grant('c', 'recovery').forget().connects(3).forget();
  play
    .pod(3, 'RECEIPT receipt-id:holdfast-barrier-2')
    .shows('3 < SEND holdfast-replay:recovery destination:/app/x receipt:r');
});

test('the receipts of SUBSCRIBE and UNSUBSCRIBE are answered as soon as the replay has made them true', () => {
  const play = Playbook.opened().client('SUBSCRIBE id:2 destination:/topic/b receipt:s').forget();
  play.client('UNSUBSCRIBE id:1 receipt:u').forget();
  recovering(play).pod(2, LIVE).shows('client < RECEIPT receipt-id:s', 'client < RECEIPT receipt-id:u');
});

test('the primary link is lost during a handover: the new link becomes the recovery', () => {
  const play = Playbook.replaying().ends(1).shows().client('SEND destination:/app/x').shows();
  play.pod(2, LIVE).shows('2 < SEND destination:/app/x');
  expect(play.known('recovered')).toMatchObject([{ from: { name: 'a' }, to: { name: 'b' }, attempts: 0 }]);
  expect(play.known('switched')).toEqual([]);
});

test('both links are lost during a handover: another one is asked for', () => {
  const play = Playbook.replaying().ends(1).shows();
  play.ends(2).shows('close 2 abort', 'request recovery 0');
  expect(play.known('link-failed')).toMatchObject([{ kept: false }]);
});

test('an old link still drains while the session has no primary one', () => {
  const message = 'MESSAGE subscription:1 message-id:1 destination:/user/queue/a';
  const play = Playbook.switched().ends(2).shows('request recovery 0').pod(1, message).shows(`client < ${message}`);
  play.ends(1).shows().grant('c', 'recovery').shows('dial 3 c recovery');
});

test('the old link is taken up again when its pod is the one that is granted', () => {
  const play = Playbook.switched().ends(2).shows('request recovery 0').client('SEND destination:/app/x').shows();
  play.grant('a', 'recovery').shows('1 < SEND destination:/app/x');
  expect(play.known('recovered')).toMatchObject([{ from: { name: 'b' }, to: { name: 'a' } }]);
});

test.each([59_999, 60_000, 60_001])('a session without a pod ends after outage-max, at %d ms', (ms) => {
  const play = Playbook.opened().ends(1).forget().at(ms);
  if (ms < 60_000) {
    play.shows();
    return;
  }
  expect(play.shown[0]).toContain(
    'client < ERROR message:no~backend content-type:text/plain | No backend took this session for 60000 ms',
  );
  expect(play.shown[1]).toBe('close client 1013 outage');
  play.forget();
});

test('so does one that never had a pod', () => {
  const play = new Playbook().forget().at(59_999).shows().at(60_000);
  expect(play.shown.at(-1)).toBe('close client 1013 outage');
  play.forget().client('SEND destination:/x').shows();
});

test('with outage-max 0 a client is let in all the same, and not held after a loss', () => {
  const play = new Playbook({ outageMaxMs: 0 }).forget().at(1_500).shows().grant('a', 'open').forget();
  play.connects(1).forget().ends(1).shows('request recovery 0').after(0);
  expect(play.shown.at(-1)).toBe('close client 1013 outage');
  play.forget();
});

const LOST: readonly LinkEnd[] = [
  { kind: 'closed', code: 1000, reason: '' },
  { kind: 'closed', code: 1011, reason: '' },
  { kind: 'closed', code: 4500, reason: 'Session not reliable' },
  { kind: 'silent', sinceMs: 5_000 },
];

test.each(LOST)('%j is a lost link', (end) => {
  Playbook.opened().ends(1, end).shows('request recovery 0');
});

test('a new outage begins its own time', () => {
  const play = Playbook.opened([]).ends(1).forget().at(50_000).grant('b', 'recovery').forget().connects(2).forget();
  play.ends(2).forget().at(109_999).shows();
  expect(play.session.ended).toBe(false);
});

test('the barrier of a recovery has its time too', () => {
  recovering(Playbook.opened([SUB_A]))
    .at(3_000)
    .shows('2 < DISCONNECT receipt:holdfast-close-2', 'request recovery 1');
});
