/** What messages wait for, where the session around it would only hide it. */
import { expect, test } from 'vitest';
import { type HeldMessage, Ordering } from '../../proxy/session/ordering.ts';
import { parseSequence, Sequences } from '../../proxy/session/sequence.ts';
import { frame } from './notation.ts';

const OPTIONS = { orderQuietMs: 50, orderMaxMs: 1_000, holdBytes: 1_000 };
const DESTINATION = '/user/queue/a';

function numbered(n: number, link: number, arrivedMs: number): HeldMessage {
  const message = frame(`MESSAGE subscription:1 message-id:${n} destination:${DESTINATION}`, 'server');
  const sequence = parseSequence('1', DESTINATION, `s:${n}`);
  return {
    frame: message,
    bytes: message.bytes,
    binary: false,
    link,
    destination: DESTINATION,
    id: `${n}`,
    sequence,
    arrivedMs,
  };
}

/** Links 1 and 2; message 1 is delivered, 3 has come on link 1 at 0 ms. */
function withHole() {
  const sequences = new Sequences();
  const ordering = new Ordering(OPTIONS, sequences);
  for (const link of [1, 2]) ordering.watch(link, 0);
  for (const n of [1, 3]) ordering.offer(numbered(n, 1, 0), 0);
  const due = (now: number) => {
    const out: string[] = [];
    for (const { id, sequence } of ordering.due(now)) {
      if (sequence !== undefined) sequences.note(sequence, now);
      out.push(id ?? '');
    }
    return out;
  };
  expect(due(0)).toEqual(['1']);
  return { ordering, due };
}

test('a hole is given up after order-max', () => {
  const { ordering, due } = withHole();
  expect(ordering.nextDeadline()).toBe(1_000);
  expect(due(999)).toEqual([]);
  expect(due(1_000)).toEqual(['3']);
});

test('not while another link is not read: what fills it may be there, and comes when that is read again', () => {
  const { ordering, due } = withHole();
  ordering.read(2, false, 100);
  expect(ordering.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  expect(due(5_000)).toEqual([]);
  ordering.read(2, true, 6_000);
  expect(ordering.nextDeadline()).toBe(6_050);
  ordering.offer(numbered(2, 2, 6_001), 6_001);
  expect(due(6_001)).toEqual(['2', '3']);
});

test.each([
  ['its own link is not read: it might wait for ever', (ordering: Ordering) => ordering.read(1, false, 100)],
  [
    'the link that is not read has brought a later one',
    (ordering: Ordering) => [ordering.offer(numbered(4, 2, 90), 90), ordering.read(2, false, 100)],
  ],
  ['both are not read', (ordering: Ordering) => [1, 2].map((link) => ordering.read(link, false, 100))],
  [
    'the link that was not read has ended',
    (ordering: Ordering) => [ordering.watch(3, 50), ordering.read(2, false, 100), ordering.unwatch(2)],
  ],
])('as ever when %s', (_, happens) => {
  const { ordering } = withHole();
  happens(ordering);
  expect(ordering.nextDeadline()).toBe(1_000);
});
