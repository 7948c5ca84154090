import { expect, test } from 'vitest';
import { frameOf } from '../../stomp/index.ts';
import { always, Playbook, SUB_A } from './playbook.ts';

test('a new link hears CONNECT and every SUBSCRIBE again, marked, with receipts of ours', () => {
  const play = Playbook.opened([
    'SUBSCRIBE id:1 destination:/user/queue/a receipt:mine ack:client',
    'SUBSCRIBE id:2 destination:/topic/b',
  ]);
  play.grant('b').shows('dial 2 b handover');
  play.opens(2).shows('2 < CONNECT accept-version:1.2 heart-beat:2000,2000 holdfast-replay:handover host:example');
  play
    .pod(2, 'CONNECTED version:1.2')
    .shows(
      '2 < SUBSCRIBE holdfast-replay:handover receipt:holdfast-barrier-1 id:1 destination:/user/queue/a ack:client',
      '2 < SUBSCRIBE holdfast-replay:handover receipt:holdfast-barrier-2 id:2 destination:/topic/b',
    );
});

test("header lines of the client are said again byte for byte, the pod's escapes untouched", () => {
  const play = Playbook.opened([]);
  const raw = 'SUBSCRIBE\nid:1\ndestination:/queue/a\nselector: a\\cb  \nselector:second\nreceipt:r\n\n\0';
  const subscribe = frameOf(new TextEncoder().encode(raw), 'client');
  play.event({ type: 'client-frame', frame: subscribe, binary: false }).forget().grant('b').forget().connects(2);
  const again =
    'SUBSCRIBE holdfast-replay:handover receipt:holdfast-barrier-1 id:1 destination:/queue/a selector:~a:b~~ selector:second';
  expect(play.shown.at(-1)).toBe(`2 < ${again}`);
});

test('a link without subscriptions needs no barrier', () => {
  const play = Playbook.opened([]).grant('b').forget().connects(2).forget();
  expect(play.session.pod?.name).toBe('b');
});

test('the barrier is passed when the last of its receipts is here', () => {
  const play = Playbook.opened([SUB_A, 'SUBSCRIBE id:2 destination:/topic/b']).grant('b').forget().connects(2).forget();
  play.pod(2, 'RECEIPT receipt-id:holdfast-barrier-2').shows();
  expect(play.session.pod?.name).toBe('a');
  play.pod(2, 'RECEIPT receipt-id:holdfast-barrier-1').shows();
  expect(play.session.pod?.name).toBe('b');
});

test("one link's receipts do not pass another link's barrier", () => {
  const play = Playbook.replaying().pod(1, 'RECEIPT receipt-id:holdfast-barrier-1').shows();
  expect(play.session.pod?.name).toBe('a');
});

test.each([199, 200])('without receipts the barrier is a wait of settleMs, at %d ms', (ms) => {
  const play = Playbook.opened([SUB_A], { profileOf: always('spring') })
    .grant('b')
    .forget()
    .connects(2);
  expect(play.shown.at(-1)).toBe('2 < SUBSCRIBE holdfast-replay:handover id:1 destination:/user/queue/a');
  play.forget().at(ms).shows();
  expect(play.session.pod?.name).toBe(ms < 200 ? 'a' : 'b');
});

test('a SUBSCRIBE in the middle of a replay goes to both links and joins the barrier', () => {
  const play = Playbook.replaying();
  play
    .client('SUBSCRIBE id:2 destination:/topic/b receipt:r')
    .shows(
      '1 < SUBSCRIBE id:2 destination:/topic/b receipt:r',
      '2 < SUBSCRIBE holdfast-replay:handover receipt:holdfast-barrier-2 id:2 destination:/topic/b',
    );
  play.pod(2, 'RECEIPT receipt-id:holdfast-barrier-1').shows();
  expect(play.session.pod?.name).toBe('a');
  play.pod(1, 'RECEIPT receipt-id:r').shows('client < RECEIPT receipt-id:r');
  play.pod(2, 'RECEIPT receipt-id:holdfast-barrier-2').shows();
  expect(play.session.pod?.name).toBe('b');
});

test('an UNSUBSCRIBE in the middle of a replay goes to both links', () => {
  const play = Playbook.replaying();
  play
    .client('UNSUBSCRIBE id:1')
    .shows('1 < UNSUBSCRIBE id:1', '2 < UNSUBSCRIBE holdfast-replay:handover receipt:holdfast-barrier-2 id:1');
});

test('what was unsubscribed before CONNECTED is not said at all', () => {
  const play = Playbook.opened([SUB_A]).grant('b').forget().opens(2).forget();
  play.client('UNSUBSCRIBE id:1').shows('1 < UNSUBSCRIBE id:1');
  play.pod(2, 'CONNECTED version:1.2').shows();
  expect(play.session.pod?.name).toBe('b');
});

test('subscriptions that change during the drain change on the old link too, as repeats', () => {
  const play = Playbook.switched();
  play
    .client('SUBSCRIBE id:2 destination:/topic/b')
    .shows(
      '2 < SUBSCRIBE id:2 destination:/topic/b',
      '1 < SUBSCRIBE holdfast-replay:handover receipt:holdfast-barrier-2 id:2 destination:/topic/b',
    );
  play.pod(1, 'RECEIPT receipt-id:holdfast-barrier-2').shows();
  play
    .client('UNSUBSCRIBE id:2')
    .shows('2 < UNSUBSCRIBE id:2', '1 < UNSUBSCRIBE holdfast-replay:handover receipt:holdfast-barrier-3 id:2');
});

test('a second SUBSCRIBE with a known id is forwarded and replayed once, as it was at first', () => {
  const play = Playbook.opened([SUB_A]);
  play.client('SUBSCRIBE id:1 destination:/topic/other').forget().grant('b').forget().connects(2);
  expect(play.shown.filter((line) => line.startsWith('2 < SUBSCRIBE'))).toEqual([
    '2 < SUBSCRIBE holdfast-replay:handover receipt:holdfast-barrier-1 id:1 destination:/user/queue/a',
  ]);
});

test('the version that the client was told is pinned on later links', () => {
  const play = new Playbook({}, 'CONNECT accept-version:1.0,1.1,1.2 host:h').forget().grant('a', 'open').forget();
  play.opens(1).forget().pod(1, 'CONNECTED version:1.1').forget().grant('b').forget();
  play.opens(2).shows('2 < CONNECT accept-version:1.1 heart-beat:2000,2000 holdfast-replay:handover host:h');
});

test('a pod that speaks another version than the client was told is no place for the session', () => {
  const play = Playbook.opened([]).grant('b').forget().opens(2).forget();
  play.pod(2, 'CONNECTED version:1.1').shows('close 2 abort');
  expect(play.known('link-failed')).toMatchObject([{ blame: 'session', kept: true }]);
});

test('STOMP 1.0: no version in CONNECTED, subscriptions without ids are named by their destination', () => {
  const play = new Playbook({}, 'CONNECT login:x').forget().grant('a', 'open').forget().opens(1).forget();
  play.pod(1, 'CONNECTED session:1').shows('client < CONNECTED heart-beat:0,0 session:1');
  play.client('SUBSCRIBE destination:/queue/a').forget().client('SUBSCRIBE destination:/queue/b').forget();
  play.client('UNSUBSCRIBE destination:/queue/a').forget().grant('b').forget();
  play.opens(2).shows('2 < CONNECT accept-version:1.0 heart-beat:2000,2000 holdfast-replay:handover login:x');
  play
    .pod(2, 'CONNECTED session:2')
    .shows('2 < SUBSCRIBE holdfast-replay:handover receipt:holdfast-barrier-1 destination:/queue/b');
});

test('a recovery marks its replay as one', () => {
  const play = Playbook.opened([SUB_A]).ends(1).forget().grant('b', 'recovery').forget();
  play.opens(2).shows('2 < CONNECT accept-version:1.2 heart-beat:2000,2000 holdfast-replay:recovery host:example');
  play
    .pod(2, 'CONNECTED version:1.2')
    .shows('2 < SUBSCRIBE holdfast-replay:recovery receipt:holdfast-barrier-1 id:1 destination:/user/queue/a');
});
