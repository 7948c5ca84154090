import { expect, test } from 'vitest';
import type { Pod } from '../../proxy/discovery/index.ts';
import { ADMIT_BATCH_FACTOR, Membership } from '../../proxy/routing/membership.ts';
import { pod, topology } from './world.ts';

const ADMIT_MS = 1_000;

function members(...first: readonly (Pod | string)[]): Membership {
  const membership = new Membership({ ring: { pointsPerPod: 4 }, admitAfterMs: ADMIT_MS });
  membership.update(topology(...first), 0);
  return membership;
}

const keys = (membership: Membership) => membership.ring.keys.join();

test('the pods of the first answer are in at once', () => {
  expect(keys(members('a', 'b'))).toBe('a,b');
});

test.each([999, 1_000])('a pod that comes later joins after admit-after, at %d ms', (ms) => {
  const membership = members('a');
  expect(membership.update(topology('a', 'b'), 0)).toBe(false);
  expect(membership.nextDeadline()).toBe(1_000);
  expect(membership.tick(ms)).toBe(ms === 1_000);
  expect(keys(membership)).toBe(ms === 1_000 ? 'a,b' : 'a');
});

test('a surge joins as one change: each newcomer starts the wait anew', () => {
  const membership = members('a');
  membership.update(topology('a', 'b'), 0);
  membership.update(topology('a', 'b', 'c'), 900);
  expect(membership.tick(1_000)).toBe(false);
  expect(membership.tick(1_900)).toBe(true);
  expect(keys(membership)).toBe('a,b,c');
});

test.each(['draining', 'unready', 'gone'] as const)(
  'a member that is %s takes the newcomers in with its leaving',
  (end) => {
    const membership = members('a', 'b');
    membership.update(topology('a', 'b', 'c'), 0);
    const left = end === 'gone' ? topology('a', 'c') : topology('a', pod('b', end), 'c');
    expect(membership.update(left, 10)).toBe(true);
    expect(keys(membership)).toBe('a,c');
    expect(membership.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  },
);

test('newcomers cannot put each other off for ever', () => {
  const membership = members('a');
  const names = ['a'];
  for (let i = 0; i < 8; i++) {
    names.push(`n${i}`);
    membership.update(topology(...names), i * 600);
    expect(keys(membership) === 'a', `at ${i * 600} ms`).toBe(i * 600 < ADMIT_BATCH_FACTOR * ADMIT_MS);
  }
});

test('the first pod of an empty ring does not wait', () => {
  const membership = members();
  expect(membership.update(topology('a'), 10)).toBe(true);
  expect(keys(membership)).toBe('a');
});

test.each(['draining', 'unready'] as const)('a pod that is %s leaves at once', (state) => {
  const membership = members('a', 'b');
  expect(membership.update(topology('a', pod('b', state)), 5)).toBe(true);
  expect(keys(membership)).toBe('a');
});

test('a pod that comes back waits like a new one', () => {
  const membership = members('a', 'b');
  membership.update(topology('a', pod('b', 'unready')), 5);
  membership.update(topology('a', 'b'), 10);
  expect(keys(membership)).toBe('a');
  membership.tick(1_010);
  expect(keys(membership)).toBe('a,b');
});

test('a newcomer that goes away again is not waited for', () => {
  const membership = members('a');
  membership.update(topology('a', 'b'), 0);
  membership.update(topology('a'), 500);
  expect(membership.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
});

test('with no serving pod the draining ones are used; unready ones never', () => {
  const membership = members('a', 'b', 'c');
  membership.update(topology(pod('a', 'draining'), pod('b', 'draining'), pod('c', 'unready')), 5);
  expect(keys(membership)).toBe('a,b');
});

test('the first serving pod after that is alone at once', () => {
  const membership = members('a');
  membership.update(topology(pod('a', 'draining')), 5);
  membership.update(topology(pod('a', 'draining'), 'b'), 10);
  expect(keys(membership)).toBe('b');
});

test('with no pod at all there is no ring', () => {
  const membership = members('a');
  membership.update(topology(), 5);
  expect(membership.ring.owner('x')).toBeUndefined();
});

test('the same name with a new UID is another process: the ring stays, its member changes', () => {
  const membership = members('a', 'b');
  const { ring } = membership;
  expect(membership.update(topology('a'), 5)).toBe(true);
  membership.update(topology('a', pod('b', 'serving', 'uid-2')), 6);
  expect(membership.tick(1_006)).toBe(true);
  expect(membership.member('b')?.id).toBe('uid-2');
  expect(membership.ring.version).toBe(ring.version);
});

test('without a pod in between the new process takes over at once', () => {
  const membership = members('a', 'b');
  expect(membership.update(topology('a', pod('b', 'serving', 'uid-2')), 5)).toBe(true);
  expect(membership.member('b')?.id).toBe('uid-2');
});

test('the same pods again are no change', () => {
  expect(members('a', 'b').update(topology('b', 'a'), 5)).toBe(false);
});

test('the key can be the address', () => {
  const membership = new Membership({ ring: { keyKind: 'address', pointsPerPod: 4 }, admitAfterMs: 0 });
  membership.update(topology('a'), 0);
  expect(keys(membership)).toBe('uid-a:80');
  expect(membership.keyOf(pod('a'))).toBe('uid-a:80');
});
