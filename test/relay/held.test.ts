/** What a session holds is told as changes. */
import { expect, test, vi } from 'vitest';
import { Held } from '../../proxy/relay/held.ts';
import type { RelayHost } from '../../proxy/relay/host.ts';

test('each change of octets or frames is told, and nothing else', () => {
  const told = vi.fn();
  const held = new Held({ held: told } as unknown as RelayHost);
  const amounts = [
    { bytes: 0, frames: 0 },
    { bytes: 10, frames: 1 },
    { bytes: 10, frames: 1 },
    { bytes: 10, frames: 2 },
    { bytes: 0, frames: 0 },
  ];
  expect(amounts.map((amount) => [held.become(amount), held.isSomething])).toEqual([
    [false, false],
    [true, true],
    [false, true],
    [true, true],
    [true, false],
  ]);
  expect(told.mock.calls).toEqual([
    [10, 1],
    [0, 1],
    [-10, -2],
  ]);
});
