import { expect, test } from 'vitest';
import { callTree } from '../../bench/parts/call-tree.ts';
import { byOwner, selfTimes } from '../../bench/parts/self-times.ts';

const node = (id: number, functionName: string, url: string, children: number[] = []) => ({
  id,
  callFrame: { functionName, url, lineNumber: 9 },
  children,
});

const profile = {
  nodes: [
    node(1, '(idle)', ''),
    node(2, 'writev', ''),
    node(3, 'push', 'file:///somewhere/stomp/decoder.ts'),
    node(4, 'push', 'file:///somewhere/stomp/decoder.ts'),
  ],
  startTime: 1000,
  samples: [3, 1, 2, 3, 4, 2],
  timeDeltas: [100, 100, 100, 100, 200, 1000],
};

test('own time is shared out by function within the span, without the idle time', () => {
  // 1100 is before the span, 2600 after it; the two nodes of push are one function called from two places.
  expect(selfTimes(profile, { from: 1150, to: 2000 })).toEqual([
    { name: 'push stomp/decoder.ts:10', percent: 75 },
    { name: 'writev', percent: 25 },
  ]);
});

test('shares add up by owner', () => {
  const names = ['writev', 'send node_modules/ws/lib/sender.js:1', 'frame node_modules/ws/lib/sender.js:9', 'stat'];
  expect(byOwner(names.map((name) => ({ name, percent: 25 })))).toEqual([
    { name: 'ws', percent: 50 },
    { name: 'writes to sockets', percent: 25 },
    { name: 'all else, native', percent: 25 },
  ]);
});

test('a call tree has one branch for a function however it was called, with what it calls', () => {
  const tree = {
    nodes: [
      node(1, '(root)', '', [2, 3, 6]),
      node(2, 'read', 'file:///x/proxy/relay/relay.ts', [4]),
      node(3, 'read', 'file:///x/proxy/relay/relay.ts', [5]),
      node(4, 'writev', ''),
      node(5, 'writev', ''),
      node(6, 'rare', ''),
    ],
    startTime: 0,
    samples: [2, 4, 3, 5, 6],
    timeDeltas: [1000, 2000, 1000, 5990, 10],
  };
  expect(callTree(tree, { from: 0, to: 10_000 })).toEqual({
    name: '(root)',
    percent: 100,
    calls: [
      {
        name: 'read proxy/relay/relay.ts:10',
        percent: 99.9,
        calls: [{ name: 'writev', percent: 79.9, calls: [] }],
      },
    ],
  });
});
