/** A pod dies under traffic for many users: what their waiting messages ask of the pods, and when they arrive. */
import { describe, expect, test } from 'vitest';
import { createProducer, RETRY_BACKOFF, type Result } from '../../producer/producer.ts';
import { RETRY_BURST_LOOKS, RETRY_FLOOR_PER_SECOND, RETRY_SHARE } from '../../producer/retry-budget.ts';
import { staticRing } from '../../producer/ring-source.ts';
import { Ring } from '../../ring/index.ts';
import { DOWN, ScriptTransport } from './script-transport.ts';
import { VirtualClock } from './virtual-clock.ts';

const NAMES = ['a', 'b', 'c', 'd'];
const RING = Ring.of(NAMES);
const PODS = NAMES.map((name) => ({ name, address: `${name}:80` }));
const DEAD = 'a';
const LATENCY_MS = 2;
const TTL_MS = 10_000;

interface Outage {
  readonly users: number;
  readonly perSecond: number;
  readonly seconds: number;
  /** When a user of the dead pod is back, and at which of the pods that follow it; undefined: away. */
  readonly recovery: (user: number) => { readonly at: number; readonly candidate: 1 | 2 | 3 } | undefined;
}

interface Sent {
  readonly user: number;
  readonly at: number;
  readonly result: Result;
  readonly endedAt: number;
}

/** The same numbers each time. */
function chance(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The dead pod is dead from the start, and stays on the ring. */
async function outage({ users, perSecond, seconds, recovery }: Outage) {
  const clock = new VirtualClock();
  const pick = chance(99);
  const holder = (user: number): string | undefined => {
    const [owner, ...others] = RING.owners(`user-${user}`, NAMES.length);
    const back = recovery(user);
    if (owner !== DEAD) return back === undefined ? undefined : owner;
    return back !== undefined && clock.now() >= back.at ? others[back.candidate - 1] : undefined;
  };
  const transport = new ScriptTransport(clock, async ({ pod, message }) => {
    if (pod === DEAD) return DOWN;
    await new Promise<void>((resolve) => clock.after(LATENCY_MS, resolve));
    return holder(Number(message.user.slice('user-'.length))) === pod ? 'delivered' : 'no-session';
  });
  const producer = createProducer({ ring: staticRing(PODS), transport, clock, random: chance(7), ttlMs: TTL_MS });
  const sent: Sent[] = [];
  for (let at = 0; at < seconds * 1000; at += 1000 / perSecond) {
    await clock.advance(at - clock.now());
    const user = Math.floor(pick() * users);
    void producer.send(`user-${user}`, '/queue/x', `${at}`).then((result) => {
      sent.push({ user, at, result, endedAt: clock.now() });
    });
  }
  await clock.advance(TTL_MS);
  return { sent, requests: transport.calls.length };
}

/** One request for each message, the share and the floor of those that look again, and a whole look before a message expires. */
const allowed = (messages: number, lastLooks: number, seconds: number) =>
  messages * (1 + RETRY_SHARE) +
  (RETRY_BURST_LOOKS + lastLooks) * NAMES.length +
  RETRY_FLOOR_PER_SECOND * (seconds + TTL_MS / 1000);

/** Who waits behind another message until the end is never asked for. */
const lookedLast = ({ at, endedAt, result }: Sent) =>
  result.attempts > 0 && endedAt - at >= TTL_MS - RETRY_BACKOFF.capMs;

const ofDeadPod = (user: number) => RING.owner(`user-${user}`) === DEAD;
/** Who is of another pod is where the ring says, all the time. */
const AT_HOME = { at: 0, candidate: 1 } as const;
const away = (user: number) => (ofDeadPod(user) ? undefined : AT_HOME);

describe('one pod of four is dead', () => {
  const SECONDS = 20;

  test.each<[string, number, Outage['recovery']]>([
    ['come back within a second', 300, (user) => ({ at: 10 * (user % 100), candidate: 1 })],
    ['come back over eight seconds', 2000, (user) => ({ at: 4 * user, candidate: 1 })],
    ['are away', 2000, away],
    ['are away, and few', 100, away],
  ])('its users %s: the pods are asked for a share more than the traffic does', async (_, users, recovery) => {
    const { sent, requests } = await outage({ users, perSecond: 200, seconds: SECONDS, recovery });
    expect(requests).toBeLessThanOrEqual(allowed(sent.length, sent.filter(lookedLast).length, SECONDS));
    const missed = sent.filter(({ user, result }) => result.status !== 'delivered' && recovery(user) !== undefined);
    expect(missed).toEqual([]);
  });

  test('users of the other pods do not notice: one request, at once', async () => {
    const { sent } = await outage({ users: 500, perSecond: 200, seconds: SECONDS, recovery: away });
    const others = sent.filter(({ user }) => !ofDeadPod(user));
    expect(others.length).toBeGreaterThan(sent.length / 2);
    for (const { at, endedAt, result } of others) {
      expect(result).toMatchObject({ status: 'delivered', attempts: 1 });
      expect(endedAt - at).toBe(LATENCY_MS);
    }
  });

  test.each([1, 2, 3] as const)(
    'who is back is found within the ttl beside many who stay away, at candidate %i',
    async (candidate) => {
      const back = (user: number) => user % 10 === 0;
      const recovery = (user: number) => (back(user) ? { at: 3000, candidate } : away(user));
      const { sent } = await outage({ users: 2000, perSecond: 100, seconds: SECONDS, recovery });
      const found = sent.filter(({ user }) => ofDeadPod(user) && back(user));
      expect(found.length).toBeGreaterThan(20);
      expect(found.filter(({ result }) => result.status !== 'delivered')).toEqual([]);
    },
  );

  test('while they are away, who waits looks again for all that the traffic earns', async () => {
    const { sent, requests } = await outage({ users: 2000, perSecond: 200, seconds: SECONDS, recovery: away });
    const most = allowed(sent.length, sent.filter(lookedLast).length, SECONDS);
    expect(requests).toBeGreaterThan(most - (sent.length * RETRY_SHARE) / 2);
  });

  test('when all come back at once, all that waited is out within a second, not at the pace of the budget', async () => {
    const backMs = 6_000;
    const recovery = () => ({ at: backMs, candidate: 1 as const });
    const { sent } = await outage({ users: 2000, perSecond: 200, seconds: SECONDS, recovery });
    const waited = sent.filter(({ at, endedAt }) => at < backMs && endedAt >= backMs);
    expect(waited.length).toBeGreaterThan(200);
    expect(Math.max(...waited.map(({ endedAt }) => endedAt))).toBeLessThan(backMs + 2 * RETRY_BACKOFF.capMs);
  });

  test('who is back beside many who stay away is mostly found long before the last look', async () => {
    const back = (user: number) => user % 10 === 0;
    const recovery = (user: number) => (back(user) ? { at: 3000, candidate: 1 as const } : away(user));
    const { sent } = await outage({ users: 2000, perSecond: 100, seconds: SECONDS, recovery });
    const waited = sent.filter(({ user, at, endedAt }) => ofDeadPod(user) && back(user) && endedAt > at + LATENCY_MS);
    expect(waited.filter(lookedLast).length).toBeLessThan(waited.length / 2);
  });

  test('the messages of a user arrive in order', async () => {
    const recovery = (user: number) => ({ at: 100 * user, candidate: 1 as const });
    const { sent } = await outage({ users: 50, perSecond: 200, seconds: SECONDS, recovery });
    for (let user = 0; user < 50; user++) {
      const ended = sent.filter((each) => each.user === user).map(({ at }) => at);
      expect(ended).toEqual(ended.toSorted((a, b) => a - b));
    }
  });
});

test.each([100, 1_000, 4_000, 9_000])(
  'a lone user who is back after %i ms has the message within a second',
  async (backMs) => {
    const clock = new VirtualClock();
    const transport = new ScriptTransport(clock, ({ pod, at }) =>
      pod === 'd' && at >= backMs ? 'delivered' : 'no-session',
    );
    const options = { ttlMs: TTL_MS, offlineAfterMs: TTL_MS };
    const producer = createProducer({ ring: staticRing(PODS), transport, clock, random: chance(7), ...options });
    const result = producer.send('alice', '/queue/x', 'hello').then(({ status }) => ({ status, at: clock.now() }));
    await clock.advance(TTL_MS);
    expect((await result).status).toBe('delivered');
    expect((await result).at).toBeLessThan(backMs + 2 * RETRY_BACKOFF.capMs);
  },
);

test.each([
  ['nobody else waits', 0],
  ['a thousand others wait', 1000],
])('all pods are well: that a user is away is proven by two looks where %s', async (_, others) => {
  const clock = new VirtualClock();
  const transport = new ScriptTransport(clock, () => 'no-session');
  const producer = createProducer({ ring: staticRing(PODS), transport, clock, random: chance(7), ttlMs: TTL_MS });
  const results = Array.from({ length: others + 1 }, (_, user) => producer.send(`user-${user}`, '/queue/x', 'hello'));
  await clock.advance(TTL_MS);
  const statuses = (await Promise.all(results)).map(({ status }) => status);
  expect(new Set(statuses)).toEqual(new Set(['offline']));
  const looked = transport.calls.length / NAMES.length;
  expect(looked).toBeLessThanOrEqual(
    results.length * 2 + RETRY_BURST_LOOKS + (2 * RETRY_FLOOR_PER_SECOND + results.length * RETRY_SHARE) / NAMES.length,
  );
});
