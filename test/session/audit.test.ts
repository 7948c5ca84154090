/** Ids and sequence numbers: repeats are dropped, holes are counted. */
import { describe, expect, test } from 'vitest';
import { Dedup } from '../../proxy/session/dedup.ts';
import { LOST_AFTER_MS, MISSING_MAX, parseSequence, Sequences, STREAMS_MAX } from '../../proxy/session/sequence.ts';
import { Playbook, SUB_A } from './playbook.ts';

const message = (headers: string) => `MESSAGE subscription:1 message-id:m destination:/user/queue/a ${headers}`;

test('a message with an id that was seen is dropped, on whichever link it comes', () => {
  const play = Playbook.opened().pod(1, message('holdfast-id:x')).forget();
  play.pod(1, message('holdfast-id:x')).shows();
  play.ends(1).forget().grant('b', 'recovery').forget().connects(2).forget();
  play.pod(2, 'RECEIPT receipt-id:holdfast-barrier-1').shows().pod(2, message('holdfast-id:x')).shows();
  expect(play.known('duplicate-dropped').length).toBe(2);
});

test('messages without ids are never dropped', () => {
  const play = Playbook.opened();
  for (let i = 0; i < 2; i++) play.pod(1, message('x:1')).shows(`client < ${message('x:1')}`);
});

test('the name of the id header can be chosen', () => {
  const play = Playbook.opened(undefined, { dedupHeader: 'x-id' }).pod(1, message('x-id:1')).forget();
  play.pod(1, message('x-id:1')).shows();
});

test('two subscriptions to one destination get a message each', () => {
  const play = Playbook.opened([SUB_A, 'SUBSCRIBE id:2 destination:/user/queue/a']);
  const copy = (id: number) => `MESSAGE subscription:${id} destination:/user/queue/a holdfast-id:x holdfast-seq:s:1`;
  play
    .pod(1, copy(1))
    .shows(`client < ${copy(1)}`)
    .pod(1, copy(2))
    .shows(`client < ${copy(2)}`);
  expect(play.known('sequence')).toEqual([]);
});

test('what came while there was no subscription is not missing', () => {
  const play = Playbook.opened().pod(1, message('holdfast-seq:s:1')).forget().client('UNSUBSCRIBE id:1').forget();
  play.client(SUB_A).forget().pod(1, message('holdfast-seq:s:9')).forget();
  expect(play.known('sequence')).toEqual([]);
});

test('holes are counted as they are found, and at the end', () => {
  const play = Playbook.opened()
    .pod(1, message('holdfast-seq:s:1'))
    .forget()
    .pod(1, message('holdfast-seq:s:4'))
    .forget();
  expect(play.known('sequence')).toEqual([]);
  play.pod(1, message('holdfast-seq:s:2')).forget().pod(1, message('holdfast-seq:s:2')).forget();
  expect(play.known('sequence')).toMatchObject([
    { kind: 'reordered', count: 1 },
    { kind: 'duplicated', count: 1 },
  ]);
  play.event({ type: 'client-gone', code: 1000 }).forget();
  expect(play.known('sequence')).toMatchObject([{ kind: 'lost', count: 1 }]);
});

const MAX_AGE_MS = 120_000;

describe('the window of ids, with room for three', () => {
  test.each([
    [1, false],
    [2, false],
    [3, true],
  ])('after %d newer ids a repeat is new: %j', (newer, isNew) => {
    const dedup = new Dedup(3, MAX_AGE_MS);
    dedup.isNew('x', 0);
    for (let i = 0; i < newer; i++) dedup.isNew(`${i}`, 0);
    expect(dedup.isNew('x', 0)).toBe(isNew);
  });

  test.each([
    [MAX_AGE_MS - 1, false],
    [MAX_AGE_MS, false],
    [MAX_AGE_MS + 1, true],
  ])('ids are forgotten after %d ms: %j', (afterMs, isForgotten) => {
    const dedup = new Dedup(3, MAX_AGE_MS);
    dedup.isNew('x', 0);
    dedup.isNew('y', afterMs);
    expect([dedup.isNew('x', afterMs), dedup.size]).toEqual([isForgotten, 2]);
  });
});

describe('sequence numbers', () => {
  const at = (n: number, key = 'k') => ({ key, n });
  const none = { lost: 0, reordered: 0, duplicated: 0 };

  test.each([
    ['s:1', 1],
    ['a:b:7', 7],
    ['9', 9],
  ])('%s is number %d', (header, n) => {
    expect(parseSequence('1', '/q', header)?.n).toBe(n);
  });

  test.each(['', 's:', 's:0', 's:-1', 's:1.5', 's:x', 's:9007199254740992'])('"%s" is no number', (header) => {
    expect(parseSequence('1', '/q', header)).toBeUndefined();
  });

  test('the first number of a stream is its baseline; what is below came before', () => {
    const sequences = new Sequences();
    expect(sequences.note(at(5), 0)).toEqual(none);
    expect(sequences.note(at(4), 0)).toEqual({ ...none, reordered: 1 });
    expect(sequences.missing()).toBe(0);
  });

  test('what comes next is told before it is noted', () => {
    const sequences = new Sequences();
    expect([sequences.expects(at(1)), sequences.expects(at(2))]).toEqual(['next', 'unknown']);
    sequences.note(at(2), 0);
    expect([1, 2, 3, 4].map((n) => sequences.expects(at(n)))).toEqual(['passed', 'passed', 'next', 'hole']);
  });

  test.each([LOST_AFTER_MS - 1, LOST_AFTER_MS])('a missing number is lost after %d ms', (ms) => {
    const sequences = new Sequences();
    sequences.note(at(1), 0);
    sequences.note(at(3), 0);
    expect(sequences.note(at(4), ms)).toEqual({ ...none, lost: ms < LOST_AFTER_MS ? 0 : 1 });
  });

  test.each([
    [MISSING_MAX - 1, 0],
    [MISSING_MAX, 0],
    [MISSING_MAX + 1, 1],
  ])('%d missing at once: %d are given up for want of room', (missing, lost) => {
    const sequences = new Sequences();
    sequences.note(at(1), 0);
    expect(sequences.note(at(2 + missing), 0)).toEqual({ ...none, lost });
    expect(sequences.missing()).toBe(Math.min(missing, MISSING_MAX));
  });

  test('the missing of several holes share the room, the oldest are given up', () => {
    const sequences = new Sequences();
    sequences.note(at(1), 0);
    sequences.note(at(2 + MISSING_MAX), 0);
    expect(sequences.note(at(4 + MISSING_MAX), 0)).toEqual({ ...none, lost: 1 });
    expect(sequences.note(at(2), 0)).toEqual({ ...none, duplicated: 1 });
    expect(sequences.note(at(3), 0)).toEqual({ ...none, reordered: 1 });
  });

  test.each([
    [STREAMS_MAX - 1, 'hole'],
    [STREAMS_MAX, 'unknown'],
  ])('after %d newer streams an old one is: %s', (newer, expected) => {
    const sequences = new Sequences();
    sequences.note(at(1), 0);
    for (let i = 0; i < newer; i++) sequences.note(at(1, `${i}`), 0);
    expect(sequences.expects(at(5))).toBe(expected);
  });
});

describe('a repeat that comes under a number of its own', () => {
  const played = () => Playbook.opened().pod(1, message('holdfast-id:x holdfast-seq:s:1')).forget();

  test('is dropped, and its number is not missing', () => {
    const play = played().pod(1, message('holdfast-id:x holdfast-seq:s:2')).shows();
    play.pod(1, message('holdfast-id:y holdfast-seq:s:3')).forget();
    play.event({ type: 'client-gone', code: 1000 }).forget();
    expect(play.known('sequence')).toEqual([]);
    expect(play.known('duplicate-dropped').length).toBe(1);
  });

  test('nor is it missing when it comes while links are put in order', () => {
    const play = Playbook.switched().pod(1, message('holdfast-id:x holdfast-seq:s:1')).forget();
    play.pod(2, message('holdfast-id:x holdfast-seq:s:2')).shows();
    const next = message('holdfast-id:y holdfast-seq:s:3');
    play.pod(2, next).shows(`client < ${next}`);
  });

  test('a repeat under the same number is no duplicate that the client got', () => {
    const play = played().pod(1, message('holdfast-id:x holdfast-seq:s:1')).shows();
    expect(play.known('sequence')).toEqual([]);
  });

  test('the holes before it are counted as those of any message', () => {
    const play = played().pod(1, message('holdfast-id:x holdfast-seq:s:3')).shows();
    play.event({ type: 'client-gone', code: 1000 }).forget();
    expect(play.known('sequence')).toMatchObject([{ kind: 'lost', count: 1 }]);
  });
});
