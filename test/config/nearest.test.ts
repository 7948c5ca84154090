import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keys } from '../../proxy/config/index.ts';
import { distance, nearest } from '../../proxy/config/nearest.ts';

test.each([
  ['', '', 0],
  ['ring', '', 4],
  ['ring', 'ring', 0],
  ['ring', 'rung', 1],
  ['kitten', 'sitting', 3],
])('from %j to %j it is %i', (a, b, far) => expect(distance(a, b)).toBe(far));

test('the distance is a metric', () => {
  const word = fc.string({ maxLength: 12 });
  fc.assert(
    fc.property(word, word, word, (a, b, c) => {
      expect(distance(a, b)).toBe(distance(b, a));
      expect(distance(a, b) === 0).toBe(a === b);
      expect(distance(a, c)).toBeLessThanOrEqual(distance(a, b) + distance(b, c));
    }),
  );
});

test.each([
  ['listn', 'listen'],
  ['handover.drain_max', 'handover.drain-max'],
  ['handoverDrainMaxMs', 'handover.drain-max'],
  ['HANDOVER_DRAINMAX', 'handover.drain-max'],
  ['drain-max', 'handover.drain-max'],
  ['limits.drain-max', 'handover.drain-max'],
  ['ring.key', 'ring.key-kind'],
  ['backend.connect', 'backend.connect-max'],
  ['kubernets', 'kubernetes'],
  ['trusted-peer', 'trusted-peers'],
  ['tls', 'backend.tls'],
  ['completely-different', undefined],
])('%s is meant to be %s', (given, meant) =>
  expect(
    nearest(
      given,
      keys.map((key) => key.name),
    ),
  ).toBe(meant),
);

test('a name of a megabyte is near to nothing, and found so at once', () => {
  expect(nearest('x'.repeat(1_000_000), ['x'])).toBeUndefined();
});
