/** How the link that was left ends. */
import { expect, test } from 'vitest';
import { always, Playbook } from './playbook.ts';

const MESSAGE = 'MESSAGE subscription:1 message-id:1 destination:/user/queue/a';

test('what still arrives on the old link is delivered', () => {
  Playbook.switched().after(3_000).shows().pod(1, MESSAGE).shows(`client < ${MESSAGE}`);
});

test.each([1000, 1001, 1006, 1011])(
  'a pod that closes it by itself, with %d, may have thrown something away',
  (code) => {
    const play = Playbook.switched().ends(1, code).shows();
    expect(play.known('handed-over')).toMatchObject([{ proven: false }]);
  },
);

test.each([
  [1000, true],
  [1001, false],
  [1006, false],
])('closed with %d in answer to DISCONNECT, as RabbitMQ before 3.12 does: proven is %j', (code, proven) => {
  const play = Playbook.switched().event({ type: 'committed' }).shows().at(5_000).forget().ends(1, code).shows();
  expect(play.known('handed-over')).toMatchObject([{ proven }]);
});

test.each([4_999, 5_000])('after the commit it is read for drain-max, at %d ms', (ms) => {
  const play = Playbook.switched().after(100).shows().event({ type: 'committed' }).shows().after(ms);
  play.shows(...(ms < 5_000 ? [] : ['1 < DISCONNECT receipt:holdfast-close-2']));
});

test.each([34_999, 35_000])('without a commit it is read for commit-max and drain-max, at %d ms', (ms) => {
  Playbook.switched()
    .at(ms)
    .shows(...(ms < 35_000 ? [] : ['1 < DISCONNECT receipt:holdfast-close-2']));
});

test('a late commit does not make the drain longer', () => {
  const play = Playbook.switched().at(34_000).shows().event({ type: 'committed' }).shows();
  play.at(35_000).shows('1 < DISCONNECT receipt:holdfast-close-2');
});

test('what comes before the receipt of DISCONNECT counts, then the link is closed and the move is proven', () => {
  const play = Playbook.switched().event({ type: 'committed' }).shows().at(5_000).forget();
  play.pod(1, MESSAGE).shows(`client < ${MESSAGE}`);
  play.pod(1, 'RECEIPT receipt-id:holdfast-close-2').shows('close 1 close');
  expect(play.known('handed-over')).toMatchObject([{ proven: true }]);
});

test.each([499, 500])('a pod that does not answer DISCONNECT is cut after close-max, unproven, at %d ms', (ms) => {
  const play = Playbook.switched().event({ type: 'committed' }).shows().at(5_000).forget().after(ms);
  play.shows(...(ms < 500 ? [] : ['close 1 abort']));
  expect(play.known('handed-over')).toMatchObject(ms < 500 ? [] : [{ proven: false }]);
});

test('a barrier that only waits proves nothing', () => {
  const play = Playbook.opened(undefined, { profileOf: always('spring') })
    .grant('b')
    .forget()
    .connects(2)
    .forget();
  play.after(200).shows().ends(1, 1001).shows();
  expect(play.known('handed-over')).toMatchObject([{ proven: false }]);
});

test('the commit of one move does not hurry a link that was not left', () => {
  const play = Playbook.opened().event({ type: 'committed' }).shows().after(60_000).shows();
  expect(play.session.pod?.name).toBe('a');
});

test('where the barrier only waits, receipts are passed on but not counted on: Spring’s simple broker answers none', () => {
  const play = Playbook.opened(undefined, { profileOf: always('spring') });
  play.client('SEND destination:/app/x receipt:r').shows('1 < SEND destination:/app/x receipt:r');
  expect(play.session.held).toEqual({ bytes: 0, frames: 0 });
  play.pod(1, 'RECEIPT receipt-id:r').shows('client < RECEIPT receipt-id:r');
  play.grant('b').forget().connects(2).forget().after(200).forget();
  play.pod(1, 'RECEIPT receipt-id:late').shows();
});

test('while the client is full an old link is not read, so its drain stands still', () => {
  const play = Playbook.switched().event({ type: 'committed' }).shows().at(4_000).shows();
  play.event({ type: 'client-full', full: true }).shows().at(20_000).shows();
  play.event({ type: 'client-full', full: false }).shows().at(20_999).shows();
  play.at(21_000).shows('1 < DISCONNECT receipt:holdfast-close-2');
});

test('so does the wait for the answer to its DISCONNECT', () => {
  const play = Playbook.switched().event({ type: 'committed' }).shows().at(5_000).forget();
  play.event({ type: 'client-full', full: true }).event({ type: 'client-full', full: true }).shows().at(9_000).shows();
  play.event({ type: 'client-full', full: false }).shows().at(9_499).shows().at(9_500).shows('close 1 abort');
});

test('messages do not stop waiting for an older one because links are not read', () => {
  const numbered = (link: string, n: number) =>
    `MESSAGE subscription:1 message-id:${link}${n} destination:/user/queue/a holdfast-seq:s:${n}`;
  const play = Playbook.switched();
  play.pod(1, numbered('a', 1)).shows(`client < ${numbered('a', 1)}`);
  play.pod(2, numbered('b', 3)).shows().event({ type: 'client-full', full: true }).shows();
  play.after(20_000).shows().event({ type: 'client-full', full: false }).shows().after(900).shows();
  play.pod(1, numbered('a', 2)).shows(`client < ${numbered('a', 2)}`, `client < ${numbered('b', 3)}`);
});

test('times that no binary fraction is: a deadline that has come is past', () => {
  for (let n = 1; n <= 300; n++) {
    const play = Playbook.switched()
      .at(n / 10)
      .event({ type: 'client-full', full: true });
    play.at(n / 3).event({ type: 'client-full', full: false });
    play.pod(2, 'MESSAGE subscription:1 message-id:1 destination:/user/queue/a').forget();
    // The playbook itself fails when a tick leaves its own deadline standing.
    play.after(1_000);
    expect(play.session.held.frames).toBe(0);
    play.forget();
  }
});
