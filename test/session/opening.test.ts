import { expect, test } from 'vitest';
import type { Effect } from '../../proxy/session/index.ts';
import { Session } from '../../proxy/session/index.ts';
import { frame } from './notation.ts';
import { OPTIONS, Playbook, pod } from './playbook.ts';

test('CONNECT is forwarded with heart-beats of our own, CONNECTED is answered with ours towards the client', () => {
  const play = new Playbook({}, 'CONNECT accept-version:1.1,1.2 host:h login:alice heart-beat:4000,15000');
  play.shows('request open 0');
  play.grant('a', 'open').shows('dial 1 a open');
  play.opens(1).shows('1 < CONNECT heart-beat:2000,2000 accept-version:1.1,1.2 host:h login:alice');
  play
    .pod(1, 'CONNECTED version:1.2 heart-beat:3000,1000 server:x')
    .shows('client < CONNECTED heart-beat:15000,10000 version:1.2 server:x');
  expect(play.shell.clientRoute).toBe(1);
  expect(play.shell.links.get(1)?.route).toBe('pass');
});

test('a STOMP frame opens a session as CONNECT does', () => {
  const play = new Playbook({}, 'STOMP accept-version:1.2 host:h').forget().grant('a', 'open').forget();
  play.opens(1).shows('1 < STOMP heart-beat:2000,2000 accept-version:1.2 host:h');
});

test.each([
  ['0,0', [0, 0]],
  ['0,2000', [10_000, 0]],
  ['20000,0', [0, 20_000]],
  ['nonsense', [0, 0]],
])("the client's heart-beat %s gives %j, never faster than ours", (asked, [sendEveryMs, expectEveryMs]) => {
  const effects = openedBy(`CONNECT accept-version:1.2 heart-beat:${asked}`, 'CONNECTED version:1.2');
  expect(effects).toContainEqual({ type: 'client-open', version: '1.2', sendEveryMs, expectEveryMs });
});

test.each([
  ['0,0', 0, 0],
  ['3000,1000', 2_000, 3_000],
  ['1000,5000', 5_000, 2_000],
])("the pod's heart-beat %s makes the link send every %d and expect every %d ms", (promised, send, wait) => {
  const effects = openedBy('CONNECT accept-version:1.2 heart-beat:0,0', `CONNECTED version:1.2 heart-beat:${promised}`);
  expect(effects).toContainEqual({ type: 'link-beats', link: 1, sendEveryMs: send, expectEveryMs: wait });
});

function openedBy(connect: string, connected: string): Effect[] {
  const session = new Session(OPTIONS, frame(connect, 'client'), false);
  session.start(0);
  session.handle({ type: 'granted', cause: 'open', pod: pod('a') }, 0);
  session.handle({ type: 'link-open', link: 1 }, 0);
  return session.handle({ type: 'link-frame', link: 1, frame: frame(connected, 'server'), binary: false }, 0);
}

test('frames that came right behind CONNECT are held and follow CONNECTED in order', () => {
  const play = new Playbook().forget();
  play.client('SUBSCRIBE id:1 destination:/queue/a').shows();
  play.client('SEND destination:/app/x | one').shows();
  play.grant('a', 'open').forget();
  play.client('SEND destination:/app/x | two').shows();
  play
    .connects(1)
    .shows(
      '1 < CONNECT heart-beat:2000,2000 accept-version:1.2 host:example',
      'client < CONNECTED heart-beat:0,0 version:1.2',
      '1 < SUBSCRIBE id:1 destination:/queue/a',
      '1 < SEND destination:/app/x | one',
      '1 < SEND destination:/app/x | two',
    );
  expect(play.session.held).toEqual({ bytes: 0, frames: 0 });
});

test('nothing reaches the client before CONNECTED, not even the answer to a subscription of ours', () => {
  const play = new Playbook().forget();
  play.client('SUBSCRIBE id:h destination:/holdfast/session receipt:r').shows();
  play.grant('a', 'open').forget().opens(1).forget();
  play
    .pod(1, 'CONNECTED version:1.2')
    .shows('client < CONNECTED heart-beat:0,0 version:1.2', 'client < RECEIPT receipt-id:r');
});

test("the proxy's own headers are set in CONNECT and the client cannot set them", () => {
  const play = new Playbook({}, 'CONNECT accept-version:1.2 x-user:mallory passcode:secret holdfast-replay:handover', {
    set: [['x-user', 'alice']],
    drop: (name) => name === 'x-user' || name === 'passcode',
  });
  play.forget().grant('a', 'open').forget();
  play.opens(1).shows('1 < CONNECT heart-beat:2000,2000 x-user:alice accept-version:1.2');
});

test("a first pod that does not answer is left, and the client's CONNECT goes to the next one unmarked", () => {
  const play = new Playbook().forget().grant('a', 'open').forget();
  play.ends(1, { kind: 'unreachable', message: 'refused' }).shows('close 1 abort', 'request open 1');
  expect(play.known('link-failed')).toMatchObject([{ blame: 'pod', kept: false, cause: 'open' }]);
  play.grant('b', 'open').shows('dial 2 b open');
  play.opens(2).shows('2 < CONNECT heart-beat:2000,2000 accept-version:1.2 host:example');
});

test.each([1_999, 2_000])('CONNECTED may take connect-max, at %d ms', (ms) => {
  const play = new Playbook().forget().grant('a', 'open').forget().opens(1).forget().at(ms);
  play.shows(...(ms < 2_000 ? [] : ['close 1 abort', 'request open 1']));
});

test("ERROR in answer to the client's own CONNECT is the client's", () => {
  const play = new Playbook().forget().grant('a', 'open').forget().opens(1).forget();
  play
    .pod(1, 'ERROR message:Bad~credentials')
    .shows('client < ERROR message:Bad~credentials', 'close 1 close', 'close client 1002 backend-error');
});

test('a pod that is in trouble before CONNECTED is not the answer to the client', () => {
  const play = new Playbook().forget().grant('a', 'open').forget().opens(1).forget();
  play.pod(1, 'ERROR message:Broker~not~available.').shows('close 1 abort', 'request open 1');
});

test('frames that the client sends as binary messages go on as binary, and so do ours', () => {
  const session = new Session(OPTIONS, frame('CONNECT accept-version:1.2', 'client'), true);
  session.start(0);
  session.handle({ type: 'granted', cause: 'open', pod: pod('a') }, 0);
  const [sent] = session.handle({ type: 'link-open', link: 1 }, 0);
  expect(sent).toMatchObject({ type: 'send-link', binary: true });
});
