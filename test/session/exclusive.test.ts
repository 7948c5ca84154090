/** Backends that allow one link of a session at a time: break before make. */
import { expect, test } from 'vitest';
import type { ProfileName } from '../../proxy/session/index.ts';
import { always, notices, Playbook, SUB_A } from './playbook.ts';

const NOTICES = 'SUBSCRIBE id:h destination:/holdfast/session';

function opened(profile: ProfileName, connect: string, subscribe: string): Playbook {
  const play = new Playbook({ profileOf: always(profile) }, connect).forget();
  play.grant('a', 'open').forget().opens(1).forget().pod(1, 'CONNECTED version:1.2').forget();
  return play.client(subscribe).forget();
}

const durable = () => opened('activemq', 'CONNECT accept-version:1.2 client-id:me', SUB_A);

test('the old link is left first, the new one dialled when it has ended, and the client is held meanwhile', () => {
  const play = durable().client(NOTICES).forget().grant('b').shows('1 < DISCONNECT receipt:holdfast-close-1');
  expect(play.known('left-first')).toMatchObject([{ from: { name: 'a' }, to: { name: 'b' }, why: 'client-id' }]);
  play.client('SEND destination:/x | 1').shows();
  play.pod(1, 'RECEIPT receipt-id:holdfast-close-1').shows('close 1 close', 'dial 2 b handover');
  play.connects(2).forget().at(30).pod(2, 'RECEIPT receipt-id:holdfast-barrier-2');
  expect(play.shown.at(-1)).toBe('2 < SEND destination:/x | 1');
  expect(notices(play.shown)).toMatchObject([{ from: 'a', to: 'b', planned: true, gapMs: 30, continuity: 'unproven' }]);
  play.forget();
});

test('a message that comes before the old link has ended still goes to the client', () => {
  const play = durable().grant('b').forget();
  const message = 'MESSAGE subscription:1 message-id:1 destination:/user/queue/a';
  play.pod(1, message).shows(`client < ${message}`);
});

test.each([499, 500])('an old pod that does not answer is waited for until close-max: at %d ms', (ms) => {
  const play = durable().grant('b').forget().at(ms);
  play.shows(...(ms < 500 ? [] : ['close 1 abort', 'dial 2 b handover']));
});

test('the new pod cannot be reached: the session recovers on another one', () => {
  const play = durable().grant('b').forget().ends(1, 1000).shows('dial 2 b handover');
  play.ends(2, { kind: 'unreachable', message: 'ECONNREFUSED' }).shows('close 2 abort', 'request recovery 0');
});

test('the new pod hangs after its subscriptions: its link is cut, for the next one could not connect beside it', () => {
  const play = durable().grant('b').forget().ends(1, 1000).forget().connects(2).forget().at(2_999).shows().at(3_000);
  play.shows('close 2 abort', 'request recovery 0');
});

test('with an open transaction the session stays', () => {
  const play = durable().client('BEGIN transaction:t').forget().grant('b').shows();
  expect(play.known('link-failed')).toMatchObject([{ kept: true, blame: 'session' }]);
});

test.each<[ProfileName, string, string]>([
  ['rabbitmq', 'CONNECT accept-version:1.2 client-id:me', SUB_A],
  ['activemq', 'CONNECT accept-version:1.2', SUB_A],
])('%s with %s and %s may overlap', (profile, connect, subscribe) => {
  opened(profile, connect, subscribe).grant('b').shows('dial 2 b handover');
});

test('an exclusive queue of RabbitMQ', () => {
  const play = opened('rabbitmq', 'CONNECT accept-version:1.2', `${SUB_A} exclusive:true`).grant('b');
  play.shows('1 < DISCONNECT receipt:holdfast-close-1');
});
