import { expect, test } from 'vitest';
import { byOwner, selfTimes } from '../../bench/parts/self-times.ts';

const node = (id: number, functionName: string, url: string) => ({
  id,
  callFrame: { functionName, url, lineNumber: 9 },
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
