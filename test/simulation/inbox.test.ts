import { expect, test } from 'vitest';
import { encode, frameOf } from '../../stomp/index.ts';
import { Agenda } from './agenda.ts';
import { Inbox } from './inbox.ts';

const QUEUE = '/user/queue/a';

function receives(numbers: readonly number[], givenUp: readonly number[] = []): () => void {
  const inbox = new Inbox('client 1', new Agenda(), (destination, n) => destination === QUEUE && givenUp.includes(n));
  return () => {
    for (const n of numbers) inbox.receive(frameOf(encode('MESSAGE', { destination: QUEUE }, `${n}`), 'server'));
  };
}

test('messages come in order and once', () => {
  expect(receives([1, 2, 4, 5])).not.toThrow();
  expect(receives([1, 3, 2])).toThrow('in order: client 1 got message 2 of /user/queue/a after 3');
  expect(receives([1, 2, 2])).toThrow('once');
});

test('one that its producer has given up may come late, but not twice, and those after it keep their order', () => {
  expect(receives([1, 4, 2, 5], [2])).not.toThrow();
  expect(receives([1, 4, 2, 3], [2])).toThrow('in order');
  expect(receives([1, 4, 2, 2], [2])).toThrow('once');
});

test('before the first number of a stream there is no order to it', () => {
  expect(receives([5, 3, 6, 4])).not.toThrow();
  expect(receives([5, 3, 6, 2])).toThrow('in order');
});
