/** In which order messages of an old and a new link reach the client. */
import { expect, test } from 'vitest';
import { Playbook } from './playbook.ts';

function message(text: string, destination = '/user/queue/a', headers = ''): string {
  return `MESSAGE subscription:1 message-id:${text} destination:${destination}${headers}`;
}

function numbered(n: number, stream = 's'): string {
  return message(`${stream}${n}`, '/user/queue/a', ` holdfast-id:${stream}${n} holdfast-seq:${stream}:${n}`);
}

const late = (play: Playbook, ms: number) => play.at(ms).shows();

test('nothing is held on the old link', () => {
  Playbook.switched()
    .pod(1, message('1'))
    .shows(`client < ${message('1')}`);
});

test.each([
  [0, 50],
  [20, 50],
  [48, 53],
  [500, 505],
])(
  'without numbers: it came at %d ms, its destination was silent on the old link since 0: it goes at %d ms',
  (came, goes) => {
    const play = late(Playbook.switched(), came).pod(2, message('2')).shows();
    play.at(goes - 1).shows();
    play.at(goes).shows(`client < ${message('2')}`);
  },
);

test('each message on the old link starts the quiet time of its destination anew, and only of its own', () => {
  const play = late(Playbook.switched(), 40).pod(1, message('1')).forget();
  play.pod(2, message('2')).shows().pod(2, message('x', '/user/queue/other')).shows();
  play.at(50).shows(`client < ${message('x', '/user/queue/other')}`);
  play
    .at(89)
    .shows()
    .at(90)
    .shows(`client < ${message('2')}`);
});

test('messages of one destination never overtake each other', () => {
  const play = late(Playbook.switched(), 45).pod(2, message('2')).shows();
  play.pod(2, message('3')).shows();
  play.at(100).shows(`client < ${message('2')}`, `client < ${message('3')}`);
});

test('the next number goes at once', () => {
  const play = Playbook.replaying()
    .pod(1, numbered(1))
    .forget()
    .pod(2, 'RECEIPT receipt-id:holdfast-barrier-1')
    .shows();
  play.pod(2, numbered(2)).shows(`client < ${numbered(2)}`);
});

test('number 1 of a stream that is new is the next one', () => {
  Playbook.switched()
    .pod(2, numbered(1))
    .shows(`client < ${numbered(1)}`);
});

test('a stream that is new and does not begin here follows the quiet rule', () => {
  const play = Playbook.switched().pod(2, numbered(7)).shows();
  play
    .at(49)
    .shows()
    .at(50)
    .shows(`client < ${numbered(7)}`);
});

test('a number that shows a hole waits for the old link to fill it', () => {
  const play = Playbook.switched().pod(1, numbered(1)).forget();
  play.pod(2, numbered(3)).shows().at(400).shows();
  play.pod(1, numbered(2)).shows(`client < ${numbered(2)}`, `client < ${numbered(3)}`);
});

test('a number on the old link that shows a hole waits for the new one: its pod hung, and the next message went here', () => {
  const play = Playbook.switched().pod(2, numbered(1)).forget();
  play.pod(1, numbered(3)).shows().at(400).shows();
  play.pod(2, numbered(2)).shows(`client < ${numbered(2)}`, `client < ${numbered(3)}`);
});

test('a stream that is new and does not begin here waits on the old link as on the new one', () => {
  const play = late(Playbook.switched(), 100).pod(1, numbered(7)).shows();
  play.pod(2, numbered(6)).shows();
  play.at(149).shows().at(150);
  play.shows(`client < ${numbered(6)}`, `client < ${numbered(7)}`);
});

test('a hole that is given up lets a link be read that fills the next one: that one is not given up at once', () => {
  const play = Playbook.switched({ holdBytes: 100 }).pod(2, numbered(1)).forget();
  play.pod(1, numbered(3)).shows('pause 1').pod(2, numbered(5)).shows('pause 2');
  play.at(1_000).shows(`client < ${numbered(3)}`, 'resume 1');
  play.pod(1, numbered(4)).shows(`client < ${numbered(4)}`, `client < ${numbered(5)}`, 'resume 2');
});

test('a link that is only on its way can have nothing: the old one waits for nobody', () => {
  const play = Playbook.opened().pod(1, numbered(1)).forget().grant('b').forget().opens(2).forget();
  play.pod(1, numbered(3)).shows(`client < ${numbered(3)}`);
});

test('what is held of the old link counts: past twice the bound it is not read either', () => {
  const play = Playbook.switched({ holdBytes: 300 }).pod(2, numbered(1)).forget();
  for (const n of [3, 4]) play.pod(1, numbered(n)).shows();
  play.pod(1, numbered(5)).shows('pause 1');
  play.pod(2, numbered(2)).shows(...[2, 3, 4, 5].map((n) => `client < ${numbered(n)}`), 'resume 1');
});

test('a hole that nobody fills is waited for until order-max, then it is counted when it was lost', () => {
  const play = Playbook.switched().pod(1, numbered(1)).forget().pod(2, numbered(3)).shows();
  play
    .at(999)
    .shows()
    .at(1_000)
    .shows(`client < ${numbered(3)}`);
  play.pod(1, numbered(2)).shows(`client < ${numbered(2)}`);
  expect(play.known('sequence')).toMatchObject([{ kind: 'reordered', count: 1 }]);
});

test('when the old link has ended nothing waits any more, and older links go first', () => {
  const play = Playbook.switched().pod(1, numbered(1)).forget();
  play.pod(2, numbered(4)).shows().pod(2, numbered(5)).shows();
  play.ends(1, 1001).shows(`client < ${numbered(4)}`, `client < ${numbered(5)}`);
  expect(play.session.held).toEqual({ bytes: 0, frames: 0 });
});

test('three links: what the middle one held goes before the newest', () => {
  const play = Playbook.switched().pod(1, numbered(1)).forget();
  play.grant('c').forget().connects(3).forget().pod(3, 'RECEIPT receipt-id:holdfast-barrier-2').shows();
  play.pod(3, numbered(4)).shows().pod(2, numbered(3)).shows();
  play.pod(1, numbered(2)).shows(...[2, 3, 4].map((n) => `client < ${numbered(n)}`));
});

test('the new link is lost: what it brought still waits for the old one', () => {
  const play = Playbook.switched().pod(1, numbered(1)).forget().pod(2, numbered(3)).shows();
  play.ends(2, 1006).shows('request recovery 0');
  play.pod(1, numbered(2)).shows(`client < ${numbered(2)}`, `client < ${numbered(3)}`);
});

test('a pod is chosen again: what is on the way from it is still waited for', () => {
  const play = Playbook.switched().pod(1, numbered(1)).forget().pod(2, numbered(3)).shows();
  play.grant('a').shows();
  play.pod(1, numbered(2)).shows(`client < ${numbered(2)}`, `client < ${numbered(3)}`);
});

test('the longest wait of a message is the gap of the handover', () => {
  const play = late(Playbook.switched(), 40).pod(2, message('2')).shows().at(60).forget().ends(1, 1001).shows();
  expect(play.known('handed-over')).toMatchObject([{ gapMs: 10 }]);
});

test('a held duplicate is dropped when it may go', () => {
  const play = Playbook.switched().pod(1, numbered(1)).forget();
  play.pod(2, numbered(1)).shows().at(1_000).shows();
  expect(play.known('duplicate-dropped').length).toBe(1);
});

test('the new link is lost and the producer goes back to the old one: what the lost link brought goes first', () => {
  const play = Playbook.switched().pod(1, numbered(1)).forget().pod(2, numbered(3)).shows();
  play.ends(2, 1006).forget().pod(1, numbered(4)).shows();
  play.at(1_000).shows(`client < ${numbered(3)}`, `client < ${numbered(4)}`);
});

test('streams of one destination do not wait for each other', () => {
  const play = Playbook.switched().pod(1, numbered(1)).forget().pod(2, numbered(3)).shows();
  play.pod(2, numbered(1, 'other')).shows(`client < ${numbered(1, 'other')}`);
});

test('a pod that is chosen again and is never silent: what came between waits for it no longer than order-max', () => {
  const play = Playbook.switched().pod(2, message('between')).shows().grant('a').shows();
  const seen: string[] = [];
  for (let ms = 20; ms <= 1_000; ms += 20) {
    play.at(ms);
    seen.push(...play.shown);
    play.forget().pod(1, message(`new-${ms}`));
    seen.push(...play.shown);
    play.forget();
    if (ms === 980) expect(seen).toEqual([]);
  }
  expect(seen[0]).toBe(`client < ${message('between')}`);
});

test('nor is it held without bound when the link between has ended', () => {
  const play = Playbook.switched().pod(2, message('between')).shows().grant('a').shows().ends(2).shows();
  for (let ms = 20; ms <= 3_000; ms += 20) {
    play
      .at(ms)
      .forget()
      .pod(1, message(`new-${ms}`))
      .forget();
  }
  expect(play.session.held.frames).toBe(0);
});
