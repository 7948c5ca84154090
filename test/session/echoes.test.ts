/** What a client has said and is said back to it: in STOMP 1.0 not everything can be. A frame of a client never throws. */
import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import type { LinkCause, SessionEvent } from '../../proxy/session/index.ts';
import { Session } from '../../proxy/session/index.ts';
import { Decoder, encode, frameOf, type Version } from '../../stomp/index.ts';
import { frame } from './notation.ts';
import { OPTIONS, Playbook, pod } from './playbook.ts';
import { Shell } from './shell.ts';

/** A client's frame as it stands on the wire, read by the rules of a version. */
function says(play: Playbook, raw: string, version: Version): Playbook {
  const read = frameOf(new TextEncoder().encode(`${raw}\n\n\0`), 'client', version);
  return play.event({ type: 'client-frame', frame: read, binary: false });
}

/** Open, with a pod that speaks this version. */
function openIn(version: Version): Playbook {
  const play = new Playbook({}, 'CONNECT login:x').forget().grant('a', 'open').forget().opens(1).forget();
  return play.pod(1, `CONNECTED version:${version}`).forget();
}

test('a receipt with a line end in it, before the version is agreed on', () => {
  const play = says(new Playbook().forget(), 'SEND\ndestination:/holdfast/x\nreceipt:a\\nb', '1.2');
  expect(play.shown[0]).toMatch(/^client < ERROR message:reserved~destination receipt-id:a~b /);
  play.forget();
});

test('a receipt that ends with CR, in 1.0', () => {
  says(openIn('1.0'), 'SUBSCRIBE\ndestination:/holdfast/session\nreceipt:a\r', '1.0').shows(
    'client < RECEIPT receipt-id:a~',
  );
});

test('a subscription whose id came by the rules of 1.2 and is told of moves in 1.0', () => {
  const play = says(openIn('1.0'), 'SUBSCRIBE\nid:a\\nb\ndestination:/holdfast/session', '1.2').shows();
  play.ends(1).forget().grant('b', 'recovery').forget().opens(2).forget().pod(2, 'CONNECTED version:1.0');
  expect(play.shown.at(-1)).toMatch(/^client < MESSAGE subscription:a~b /);
  play.forget();
});

const COMMANDS = ['SUBSCRIBE', 'UNSUBSCRIBE', 'SEND', 'BEGIN', 'COMMIT', 'ABORT', 'ACK', 'DISCONNECT', 'CONNECT'];
const NAMES = ['id', 'destination', 'receipt', 'transaction', 'holdfast-id', 'content-type', 'a\\nb'];
const VERSIONS: Version[] = ['1.0', '1.1', '1.2'];
const value = fc.oneof(
  fc.constantFrom(
    '/holdfast/session',
    '/holdfast/x',
    '/queue/a',
    'holdfast-1',
    '',
    'a\\nb',
    'a\\rb',
    'a\r',
    'a\\cb',
    ' ',
  ),
  fc.string({ maxLength: 6 }).map((text) => text.replaceAll(/[\0\n]/g, '')),
);
const line = fc.tuple(fc.constantFrom(...NAMES), value).map(([name, text]) => `${name}:${text}`);
const raw = fc
  .tuple(fc.constantFrom(...COMMANDS), fc.array(line, { maxLength: 4 }))
  .map(([command, lines]) => [command, ...lines].join('\n'));

class Story {
  readonly session = new Session(OPTIONS, frame('CONNECT login:x', 'client'), false);
  readonly shell = new Shell(this.session, () => {});

  constructor() {
    this.shell.start(0);
  }

  tell(event: SessionEvent, now = 0): void {
    if (!this.session.ended) this.shell.handle(event, now);
  }

  /** Frames that the decoder refuses never come to a session. */
  says(texts: readonly string[], version: Version): void {
    const decoder = new Decoder({ peer: 'client', version });
    for (const read of decoder.push(new TextEncoder().encode(texts.map((text) => `${text}\n\n\0`).join('')))) {
      if (read !== 'beat') this.tell({ type: 'client-frame', frame: read, binary: false });
    }
  }

  linked(link: number, name: string, cause: LinkCause, version: Version): void {
    this.tell({ type: 'granted', cause, pod: pod(name) });
    if (this.session.ended) return;
    this.tell({ type: 'link-open', link });
    this.tell({ type: 'link-frame', link, frame: frame(`CONNECTED version:${version}`, 'server'), binary: false });
  }
}

test('whatever a client says, before CONNECTED or after it, in an outage and through a recovery', () => {
  const texts = fc.array(raw, { maxLength: 4 });
  fc.assert(
    fc.property(fc.constantFrom(...VERSIONS), texts, texts, texts, (version, early, late, held) => {
      const story = new Story();
      story.says(early, '1.2');
      story.linked(1, 'a', 'open', version);
      story.says(late, version);
      if (!story.session.ended)
        story.tell({ type: 'link-ended', link: 1, end: { kind: 'closed', code: 1006, reason: '' } });
      story.says(held, version);
      story.linked(2, 'b', 'recovery', version);
      story.tell({ type: 'tick' }, 100_000);
    }),
    { numRuns: 2_000 },
  );
});

test('what cannot be said in 1.0 is what the encoder refuses there', () => {
  expect(() => encode('RECEIPT', { 'receipt-id': 'a\r' }, undefined, '1.0')).toThrow(RangeError);
});
