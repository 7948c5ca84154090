/** A handover that fails leaves the session where it was. */
import { expect, test } from 'vitest';
import type { LinkEnd } from '../../proxy/session/index.ts';
import { notices, Playbook, SUB_A } from './playbook.ts';

function staysAtA(play: Playbook): void {
  expect(play.session.pod?.name).toBe('a');
  expect(play.shell.links.get(1)?.route).toBe('pass');
  play.client('SEND destination:/app/x').shows('1 < SEND destination:/app/x');
  play
    .pod(1, 'MESSAGE subscription:1 message-id:9 destination:/user/queue/a')
    .shows('client < MESSAGE subscription:1 message-id:9 destination:/user/queue/a');
}

const ENDS: readonly (readonly [string, LinkEnd, 'pod' | 'session'])[] = [
  ['unreachable', { kind: 'unreachable', message: 'ECONNREFUSED' }, 'pod'],
  ['503 at the upgrade', { kind: 'handshake', status: 503 }, 'pod'],
  ['401 at the upgrade', { kind: 'handshake', status: 401 }, 'session'],
  ['close 1006', { kind: 'closed', code: 1006, reason: '' }, 'pod'],
  ['close 1008', { kind: 'closed', code: 1008, reason: 'policy' }, 'session'],
  ['silence', { kind: 'silent', sinceMs: 5_000 }, 'pod'],
];

test.each(ENDS)('the new link ends: %s', (_, end, blame) => {
  const play = Playbook.replaying();
  play.ends(2, end).shows('close 2 abort');
  expect(play.known('link-failed')).toMatchObject([{ pod: { name: 'b' }, cause: 'handover', blame, kept: true }]);
  staysAtA(play);
});

test.each([
  ['Not~allowed', 'session'],
  ['Broker~not~available.', 'pod'],
] as const)('ERROR %s in answer to the replay', (message, blame) => {
  const play = Playbook.replaying().pod(2, `ERROR message:${message}`).shows('2 < DISCONNECT receipt:holdfast-close-2');
  expect(play.known('link-failed')).toMatchObject([{ blame, kept: true }]);
  play.ends(2, 1002).shows();
  staysAtA(play);
});

test.each<[what: string, end: (play: Playbook) => Playbook, continuity: string[]]>([
  ['its pod dies', (play) => play.ends(2, 1006), ['unproven']],
  ['it is given up and answers DISCONNECT', (play) => play.grant('c').forget().ends(2, 1000), []],
  ['it is given up and its pod dies then', (play) => play.grant('c').forget().ends(2, 1006), ['unproven']],
])('a new link that had the subscriptions never became the primary one: %s', (_, end, continuity) => {
  const play = Playbook.opened([SUB_A, 'SUBSCRIBE id:h destination:/holdfast/session']).grant('b').forget();
  play.connects(2).forget();
  end(play);
  expect(notices(play.shown).map((notice) => (notice as { continuity: string }).continuity)).toEqual(continuity);
  play.forget();
});

test('ERROR in answer to CONNECT', () => {
  const play = Playbook.opened().grant('b').forget().opens(2).forget();
  staysAtA(play.pod(2, 'ERROR message:Bad~credentials').shows('close 2 abort'));
});

test.each([2_999, 3_000])('the receipts of the barrier may take barrier-max, at %d ms', (ms) => {
  const play = Playbook.replaying().at(ms);
  play.shows(...(ms < 3_000 ? [] : ['2 < DISCONNECT receipt:holdfast-close-2']));
  expect(play.known('link-failed').length).toBe(ms < 3_000 ? 0 : 1);
  expect(play.session.pod?.name).toBe('a');
});

test.each([1_999, 2_000])('CONNECTED may take connect-max, at %d ms', (ms) => {
  const play = Playbook.opened().grant('b').forget().opens(2).forget().at(ms);
  play.shows(...(ms < 2_000 ? [] : ['close 2 abort']));
  expect(play.session.pod?.name).toBe('a');
});

test('late words of a link that was given up change nothing', () => {
  const play = Playbook.replaying().ends(2, 1006).shows('close 2 abort');
  play.event({ type: 'link-open', link: 2 }).shows();
  play.pod(2, 'CONNECTED version:1.2').shows();
  play.pod(2, 'RECEIPT receipt-id:holdfast-barrier-1').shows();
  play.pod(2, 'MESSAGE subscription:1 message-id:1 destination:/user/queue/a').shows();
  play.pod(2, 'ERROR message:late').shows();
  play.ends(2, 4_001).shows();
  staysAtA(play);
});

test('messages that the given-up link had brought before are not lost, and then messages pass by again', () => {
  const message = 'MESSAGE subscription:1 message-id:1 destination:/user/queue/a';
  const play = Playbook.replaying().pod(2, message).shows().ends(2, 1006).shows('close 2 abort');
  play.at(50).shows(`client < ${message}`);
  staysAtA(play);
});
