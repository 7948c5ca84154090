import { expect, test } from 'vitest';
import { type Counted, SESSIONS_PER_TURN, takeCensus } from '../../proxy/relay/census.ts';

const podOf = (name: string) => ({ id: name, name, address: `${name}:1`, state: 'serving' }) as const;
const session = (pods: readonly string[], state = 'live', paused = { client: 0, link: 0 }): Counted => ({
  links: () => pods.map((name) => ({ pod: podOf(name), state })),
  paused,
});

test('sessions are counted by their pod, links by pod and state, and sockets that are not read by side', async () => {
  const sessions = new Map([
    [1, session(['a'])],
    [2, session(['a', 'b'], 'live', { client: 1, link: 2 })],
    [3, session(['b'], 'draining', { client: 1, link: 0 })],
    [4, session([])],
  ]);
  const places = new Map([
    [1, podOf('a')],
    [2, podOf('b')],
    [3, podOf('b')],
  ]);
  const { byPod, links, paused } = await takeCensus(sessions, (id) => places.get(id));
  expect(Object.fromEntries(byPod)).toEqual({ a: 1, b: 2, '': 1 });
  expect([...links]).toEqual([
    { pod: 'a', state: 'live', count: 2 },
    { pod: 'b', state: 'live', count: 1 },
    { pod: 'b', state: 'draining', count: 1 },
  ]);
  expect(paused).toEqual({ client: 2, link: 2 });
});

test.each([
  [SESSIONS_PER_TURN - 1, 0],
  [SESSIONS_PER_TURN, 1],
  [SESSIONS_PER_TURN + 1, 1],
  [2 * SESSIONS_PER_TURN, 2],
])('a census of %i sessions lets others have %i turns', async (count, turns) => {
  const sessions = new Map(Array.from({ length: count }, (_, id) => [id, session(['a'])]));
  let others = 0;
  const again = () => {
    others += 1;
    turn = setImmediate(again);
  };
  let turn = setImmediate(again);
  const { byPod } = await takeCensus(sessions, () => podOf('a'));
  clearImmediate(turn);
  expect([byPod.get('a'), others]).toEqual([count, turns]);
});

test('one that leaves meanwhile does not end the census', async () => {
  const sessions = new Map(Array.from({ length: SESSIONS_PER_TURN + 10 }, (_, id) => [id, session(['a'])]));
  const census = takeCensus(sessions, () => podOf('a'));
  sessions.delete(SESSIONS_PER_TURN + 5);
  sessions.set(-1, session(['a']));
  expect((await census).byPod.get('a')).toBe(SESSIONS_PER_TURN + 10);
});
