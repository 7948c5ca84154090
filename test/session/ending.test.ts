/** Every way in which a session ends, and what looks like one and is none. */
import { expect, test } from 'vitest';
import { StompError } from '../../stomp/index.ts';
import { Playbook, SUB_A } from './playbook.ts';

test('DISCONNECT with a receipt goes to the pod, whose receipt is the answer', () => {
  const play = Playbook.opened().client('DISCONNECT receipt:bye').shows('1 < DISCONNECT receipt:bye');
  play
    .pod(1, 'RECEIPT receipt-id:bye')
    .shows('client < RECEIPT receipt-id:bye', 'close 1 close', 'close client 1000 client-left');
});

test('DISCONNECT without a receipt asks the pod for one that the client does not see', () => {
  const play = Playbook.opened().client('DISCONNECT').shows('1 < DISCONNECT receipt:holdfast-leave');
  play.pod(1, 'RECEIPT receipt-id:holdfast-leave').shows('close 1 close', 'close client 1000 client-left');
});

test('the pod closes without the receipt: the client has its answer all the same', () => {
  const play = Playbook.opened().client('DISCONNECT receipt:bye').forget();
  play.ends(1, 1000).shows('client < RECEIPT receipt-id:bye', 'close client 1000 client-left');
});

test.each([499, 500])('the receipt of DISCONNECT is awaited for close-max, at %d ms', (ms) => {
  const play = Playbook.opened().client('DISCONNECT receipt:bye').forget().at(ms);
  play.shows(
    ...(ms < 500 ? [] : ['client < RECEIPT receipt-id:bye', 'close 1 close', 'close client 1000 client-left']),
  );
});

test('frames after DISCONNECT are nobody’s, messages before its receipt are still delivered', () => {
  const message = 'MESSAGE subscription:1 message-id:1 destination:/user/queue/a';
  const play = Playbook.opened().client('DISCONNECT').forget().client('SUBSCRIBE id:9 destination:/x').shows();
  play.pod(1, message).shows(`client < ${message}`);
});

test('DISCONNECT without a link is held like any frame and goes to the next pod', () => {
  const play = Playbook.opened([])
    .ends(1)
    .forget()
    .client('SEND destination:/app/x')
    .shows()
    .client('DISCONNECT')
    .shows();
  play.grant('b', 'recovery').forget().opens(2).forget();
  play.pod(2, 'CONNECTED version:1.2').shows('2 < SEND destination:/app/x', '2 < DISCONNECT receipt:holdfast-leave');
});

test('DISCONNECT without a link and with nothing held is answered at once', () => {
  const play = Playbook.opened().ends(1).forget().client('DISCONNECT receipt:bye');
  play.shows('client < RECEIPT receipt-id:bye', 'close client 1000 client-left');
});

test('but not while a SEND before it has no receipt yet', () => {
  const play = Playbook.opened().client('SEND destination:/x receipt:r').forget().ends(1).forget();
  play.client('DISCONNECT receipt:bye').shows();
});

test('DISCONNECT gives up a handover, so that its receipt comes on the link that it went to', () => {
  const play = Playbook.replaying();
  play.client('DISCONNECT receipt:bye').shows('2 < DISCONNECT receipt:holdfast-close-2', '1 < DISCONNECT receipt:bye');
  play.pod(2, 'RECEIPT receipt-id:holdfast-barrier-1').shows();
  play
    .pod(1, 'RECEIPT receipt-id:bye')
    .shows('client < RECEIPT receipt-id:bye', 'close 1 close', 'close 2 close', 'close client 1000 client-left');
});

test('a client that is gone leaves its links with DISCONNECT', () => {
  Playbook.switched()
    .event({ type: 'client-gone', code: 1006 })
    .shows(
      '1 < DISCONNECT receipt:holdfast-2',
      'close 1 close',
      '2 < DISCONNECT receipt:holdfast-3',
      'close 2 close',
      'close client 1000 client-left',
    );
});

test('a client that is gone while a link is dialled: the link is aborted', () => {
  const play = Playbook.opened().grant('b').forget().event({ type: 'client-gone', code: 1001 });
  expect(play.shown).toContain('close 2 abort');
  play.forget();
});

test.each([
  ['silent', 'close client 1002 client-silent'],
  ['slow', 'close client 1013 client-slow'],
] as const)('a client that is %s', (reason, shown) => {
  const play = Playbook.opened().event({ type: 'client-failed', reason });
  expect(play.shown.at(-1)).toBe(shown);
  play.forget();
});

test('shutdown', () => {
  const play = Playbook.opened().event({ type: 'shutdown' });
  play.shows('1 < DISCONNECT receipt:holdfast-1', 'close 1 close', 'close client 1012 shutdown');
});

test('ERROR and then a close are the application’s last word', () => {
  const play = Playbook.opened().pod(1, 'ERROR message:Not~allowed').shows('client < ERROR message:Not~allowed');
  play.ends(1, 1002).shows('close client 1002 backend-error');
});

test.each([5_000, 5_001])('a close %d ms after an ERROR', (ms) => {
  const play = Playbook.opened().pod(1, 'ERROR message:x').forget().at(ms).shows().ends(1, 1002);
  play.shows(ms === 5_000 ? 'close client 1002 backend-error' : 'request recovery 0');
});

test('ERROR without a close (RabbitMQ): the session goes on', () => {
  const play = Playbook.opened().pod(1, 'ERROR message:Unknown~destination').forget();
  play.client('SEND destination:/app/x').shows('1 < SEND destination:/app/x');
});

test('ERROR by which a pod speaks of its own trouble is a lost link, and the client does not see it', () => {
  const play = Playbook.opened()
    .pod(1, 'ERROR message:Broker~not~available.')
    .shows('close 1 abort', 'request recovery 0');
  expect(play.known('link-lost')).toMatchObject([{ blame: 'pod' }]);
});

test('a pod in trouble after DISCONNECT: the client leaves all the same', () => {
  const play = Playbook.opened().client('DISCONNECT receipt:bye').forget();
  play
    .pod(1, 'ERROR message:Session~closed.')
    .shows('close 1 abort', 'client < RECEIPT receipt-id:bye', 'close client 1000 client-left');
});

test.each([1008, 4000, 4001, 4999])('close %d by the pod is passed on', (code) => {
  Playbook.opened().ends(1, { kind: 'closed', code, reason: 'kicked' }).shows(`close client ${code} backend-error`);
});

test.each([1008, 4401])('close %d in answer to CONNECT is passed on, not tried again until outage-max', (code) => {
  const play = new Playbook().forget().grant('a', 'open').forget().opens(1).forget();
  play.ends(1, { kind: 'closed', code, reason: 'sign in' }).shows(`close client ${code} backend-error`);
});

test('so is one in the answer to the replay of a recovery', () => {
  const play = Playbook.opened().ends(1).forget().grant('b', 'recovery').forget().connects(2).forget();
  play.ends(2, { kind: 'closed', code: 4401, reason: 'token expired' }).shows('close client 4401 backend-error');
});

test.each([401, 403])('the first upgrade is refused with %d', (status) => {
  const play = new Playbook().forget().grant('a', 'open').forget().ends(1, { kind: 'handshake', status });
  expect(play.shown).toEqual([
    'client < ERROR message:not~allowed content-type:text/plain | The backend does not accept this connection. Sign in again.',
    'close client 1008 backend-denied',
  ]);
  play.forget();
});

test.each([
  [299, 3, false],
  [300, 3, true],
  [302, 2, false],
  [302, 3, true],
  [404, 2, false],
  [404, 3, true],
  [429, 3, false],
  [499, 3, true],
  [500, 3, false],
])('the first upgrade is refused with %d at try %d: that is believed is %j', (status, tries, believed) => {
  const play = new Playbook();
  for (let link = 1; link <= tries; link++) {
    play.forget().grant('a', 'open').forget().ends(link, { kind: 'handshake', status });
  }
  const told = play.shown.some((shown) => shown.startsWith('client < ERROR message:refused~by~the~backend'));
  expect([told, play.shown.includes('close client 1008 backend-denied')]).toEqual([believed, believed]);
  play.forget();
});

test('401 at the upgrade of a recovery ends the session; other links are left in order', () => {
  const play = Playbook.switched()
    .ends(2)
    .forget()
    .grant('c', 'recovery')
    .forget()
    .ends(3, { kind: 'handshake', status: 401 });
  expect(play.shown.slice(1)).toEqual([
    '1 < DISCONNECT receipt:holdfast-2',
    'close 1 close',
    'close client 1008 backend-denied',
  ]);
  play.forget();
});

test('a client whose bytes are no STOMP', () => {
  const error = new StompError('unknown-command', 'unknown command "HELO"');
  const play = Playbook.opened([SUB_A]).event({ type: 'client-garbage', error });
  expect(play.shown[0]).toBe('client < ERROR message:unknown-command content-type:text/plain | unknown command "HELO"');
  expect(play.shown.at(-1)).toBe('close client 1002 client-protocol');
  play.forget();
});

test('after the end nothing is done, whatever comes', () => {
  const play = Playbook.opened().event({ type: 'client-gone', code: 1000 }).forget();
  play.pod(1, 'MESSAGE subscription:1 message-id:1 destination:/a').forget();
  play.ends(1).shows().grant('b').shows().event({ type: 'tick' }).shows().event({ type: 'committed' }).shows();
  play.event({ type: 'shutdown' }).shows().client('DISCONNECT').forget();
});
