import { describe, expect, test } from 'vitest';
import { createProducer, type ProducerOptions } from '../../producer/producer.ts';
import { localRing, type RingSnapshot, snapshotOf, staticRing } from '../../producer/ring-source.ts';
import type { PostResult } from '../../producer/transport.ts';
import { Ring } from '../../ring/index.ts';
import { DOWN, LOST, type Script, ScriptTransport } from './script-transport.ts';
import { settled, VirtualClock } from './virtual-clock.ts';

const PODS = ['a', 'b', 'c'].map((name) => ({ name, address: `${name}:80` }));
/** 'alice' sits on this pod; the others follow in this order. */
const [FIRST = '', SECOND = '', THIRD = ''] = Ring.of(['a', 'b', 'c']).owners('alice', 3);

function harness(script: Script, options: Partial<ProducerOptions> = {}) {
  const clock = new VirtualClock();
  const transport = new ScriptTransport(clock, script);
  const producer = createProducer({ ring: staticRing(PODS), transport, clock, random: () => 0.5, ...options });
  return { clock, transport, producer, send: (n = 0) => producer.send('alice', '/queue/x', `message ${n}`) };
}

type World = ReturnType<typeof harness>;

/** Lets time pass until the promise has a result. */
async function outcome<T>({ clock }: Pick<World, 'clock'>, promise: Promise<T>): Promise<T & { at: number }> {
  let result: (T & { at: number }) | undefined;
  promise.then((value) => {
    result = { ...value, at: clock.now() };
  });
  for (let ms = 0; ms < 70_000; ms++) {
    await clock.advance(ms === 0 ? 0 : 1);
    if (result !== undefined) return result;
  }
  throw new Error('no result within 70 s');
}

/** Answers by pod: a list is used up one by one, its last entry stays. */
function byPod(answers: Record<string, PostResult | PostResult[]>): Script {
  return ({ pod }) => {
    const answer = answers[pod] ?? 'no-session';
    if (!Array.isArray(answer)) return answer;
    return (answer.length > 1 ? answer.shift() : answer[0]) ?? 'no-session';
  };
}

describe('where a message goes', () => {
  test('to the owner, in one hop', async () => {
    const world = harness(() => 'delivered');
    expect(await outcome(world, world.send())).toMatchObject({ status: 'delivered', pod: FIRST, attempts: 1, at: 0 });
    expect(world.transport.pods).toEqual([FIRST]);
  });

  test('to the next when the owner has no session', async () => {
    const world = harness(byPod({ [THIRD]: 'delivered' }));
    expect(await outcome(world, world.send())).toMatchObject({ status: 'delivered', pod: THIRD, attempts: 3, at: 0 });
    expect(world.transport.pods).toEqual([FIRST, SECOND, THIRD]);
  });

  test('away from a crashed owner at once, and for the next messages not to it first', async () => {
    const world = harness(byPod({ [FIRST]: DOWN, [SECOND]: 'delivered' }));
    expect(await outcome(world, world.send())).toMatchObject({ pod: SECOND, attempts: 2, at: 0 });
    expect(await outcome(world, world.send())).toMatchObject({ pod: SECOND, attempts: 1 });
    expect(world.transport.pods).toEqual([FIRST, SECOND, SECOND]);
  });

  test('round again, with growing waits, until the session is back', async () => {
    const world = harness(byPod({ [SECOND]: ['no-session', 'no-session', 'no-session', 'delivered'] }));
    expect(await outcome(world, world.send())).toMatchObject({ status: 'delivered', pod: SECOND });
    // Half of 25, 50 and 100 ms.
    expect(world.transport.calls.filter(({ pod }) => pod === FIRST).map(({ at }) => at)).toEqual([0, 12.5, 37.5, 87.5]);
  });

  test('where the proxy knows the session to be, also outside of the rings', async () => {
    const draining = { name: 'old', address: 'old:80' };
    const snapshot: RingSnapshot = { ...snapshotOf(PODS), podOf: (key) => (key === 'old' ? draining : undefined) };
    const ring = localRing({ snapshot: () => snapshot, ownerHint: (user) => (user === 'alice' ? 'old' : undefined) });
    const world = harness(() => 'delivered', { ring });
    expect(await outcome(world, world.send())).toMatchObject({ status: 'delivered', pod: 'old', attempts: 1 });
  });

  test('with the same id and sequence number at every try', async () => {
    const world = harness(byPod({ [FIRST]: [LOST, LOST, 'delivered'] }));
    const { id } = await outcome(world, world.send());
    expect(new Set(world.transport.calls.map(({ message }) => `${message.id} ${message.seq}`)).size).toBe(1);
    expect(world.transport.calls[0]?.message.id).toBe(id);
  });

  test('each try gets its own deadline, within the message’s', async () => {
    const world = harness(byPod({ [FIRST]: ['no-session', 'delivered'] }), { ttlMs: 1000, attemptTimeoutMs: 990 });
    await outcome(world, world.send());
    expect(world.transport.calls.map(({ deadline }) => deadline)).toEqual([990, 990, 990, 1000]);
  });
});

describe('offline', () => {
  test('when every pod denies the user without a break, for offlineAfterMs', async () => {
    const world = harness(() => 'no-session');
    expect(await outcome(world, world.send())).toMatchObject({ status: 'offline', at: 2000 });
  });

  test.each([1, 10, 400])('is proven within its span however short that is: %d ms', async (offlineAfterMs) => {
    const world = harness(() => 'no-session', { offlineAfterMs });
    expect(await outcome(world, world.send())).toMatchObject({ status: 'offline', at: expect.any(Number) });
    expect(world.clock.now()).toBeLessThan(offlineAfterMs + 50);
  });

  test.each([
    ['refuses connections', DOWN],
    ['loses its answers', LOST],
  ])('not while one pod %s', async (_, trouble) => {
    const world = harness(byPod({ [SECOND]: trouble }));
    const result = await outcome(world, world.send());
    expect(result).toMatchObject({ status: 'expired', at: 10_000, reason: expect.stringMatching(`^${SECOND}: ECONN`) });
  });

  test('never a message that a pod may have taken: its client may have seen it', async () => {
    const world = harness(({ pod, at }) => (pod === FIRST && at === 0 ? LOST : 'no-session'));
    expect(await outcome(world, world.send())).toMatchObject({ status: 'expired', at: 10_000 });
    expect(await outcome(world, world.send())).toMatchObject({ status: 'offline' });
  });

  test('the span starts when the last pod answers again', async () => {
    const world = harness(({ pod, at }) => (pod === SECOND && at < 1000 ? DOWN : 'no-session'));
    const result = await outcome(world, world.send());
    expect(result.status).toBe('offline');
    const firstWhole = world.transport.calls.find(({ pod, at }) => pod === SECOND && at >= 1000)?.at ?? 0;
    expect(result.at).toBe(firstWhole + 2000);
  });

  test.each([
    ['until the session has a pod', 300, 300],
    ['just within the bound', 1999, 1999],
    ['at most for the bound: then the sessions that live get it', 60_000, 2000],
  ])('nobody is asked while a session of the user is on its way: %s', async (_, arrivesAt, askedAt) => {
    const clock = new VirtualClock();
    const snapshot = snapshotOf(PODS);
    const ring = localRing({ snapshot: () => snapshot, moving: () => clock.now() < arrivesAt });
    const transport = new ScriptTransport(clock, () => 'delivered');
    const producer = createProducer({ ring, transport, clock, random: () => 0.5 });
    await outcome({ clock }, producer.send('alice', '/queue/x', 'hello'));
    expect(transport.calls.length).toBe(1);
    expect(transport.calls[0]?.at).toBeGreaterThanOrEqual(askedAt);
    expect(transport.calls[0]?.at).toBeLessThan(askedAt + 25);
  });

  test('not while the session is known to be moved or recovered; then it may still be delivered', async () => {
    const snapshot = snapshotOf(PODS);
    const ring = localRing({ snapshot: () => snapshot, moving: () => true });
    const world = harness(({ pod, at }) => (pod === SECOND && at > 5000 ? 'delivered' : 'no-session'), { ring });
    expect(await outcome(world, world.send())).toMatchObject({ status: 'delivered', pod: SECOND });
    const never = harness(() => 'no-session', { ring });
    expect(await outcome(never, never.send())).toMatchObject({ status: 'expired', at: 10_000 });
  });

  test('rings that change start the span anew, and their new pods are asked', async () => {
    let snapshot = snapshotOf(PODS.slice(0, 2));
    const world = harness(() => 'no-session', { ring: localRing({ snapshot: () => snapshot }) });
    const result = outcome(world, world.send());
    world.clock.after(1500, () => {
      snapshot = snapshotOf(PODS);
    });
    const { status, at } = await result;
    expect(status).toBe('offline');
    expect(at).toBeGreaterThanOrEqual(3500);
    expect(at).toBeLessThan(4000);
    expect(new Set(world.transport.pods)).toEqual(new Set(['a', 'b', 'c']));
  });

  test('is known for the messages that follow: one look each, not a span each', async () => {
    const world = harness(() => 'no-session');
    await outcome(world, world.send());
    const calls = world.transport.calls.length;
    expect(await outcome(world, world.send())).toMatchObject({ status: 'offline', at: 2000, attempts: 3 });
    expect(world.transport.calls.length).toBe(calls + 3);
  });

  test('a delivery ends the span', async () => {
    const world = harness(({ at }) => (at > 100 && at < 200 ? 'delivered' : 'no-session'));
    expect(await outcome(world, world.send())).toMatchObject({ status: 'delivered' });
    await world.clock.advance(1500 - world.clock.now());
    expect(await outcome(world, world.send())).toMatchObject({ status: 'offline', at: 3500 });
  });

  test('is never said when it takes longer than the message lives', async () => {
    const world = harness(() => 'no-session', { offlineAfterMs: 10_000 });
    expect(await outcome(world, world.send())).toMatchObject({ status: 'expired', at: 10_000 });
    const late = harness(({ at }) => (at > 9_000 ? 'delivered' : 'no-session'), { offlineAfterMs: 10_000 });
    expect(await outcome(late, late.send())).toMatchObject({ status: 'delivered' });
  });
});

describe('expired', () => {
  test('at the millisecond, with what stood in the way', async () => {
    const world = harness(() => DOWN, { ttlMs: 700 });
    const result = await outcome(world, world.send());
    expect(result).toMatchObject({ status: 'expired', at: 700, reason: expect.stringContaining('ECONNREFUSED') });
  });

  test.each([0, 1])('nobody else is asked when the first pod took all the time, and %i ms more', async (moreMs) => {
    const late: Script = ({ deadline }) =>
      new Promise((resolve) => world.clock.after(deadline + moreMs, () => resolve(LOST)));
    const world = harness(late, { ttlMs: 700 });
    expect(await outcome(world, world.send())).toMatchObject({ status: 'expired', attempts: 1, at: 700 + moreMs });
  });

  test.each([
    ['no ring was learnt yet', undefined, /no ring has been learnt/],
    ['the ring has no pods', snapshotOf([]), /the ring has no pods/],
    ['nobody knows the address', { ...snapshotOf(PODS), podOf: () => undefined }, /address is not known/],
  ])('when %s, without asking anybody', async (_, snapshot, reason) => {
    const world = harness(() => 'delivered', { ring: localRing({ snapshot: () => snapshot }) });
    const result = await outcome(world, world.send());
    expect(result).toMatchObject({ status: 'expired', attempts: 0, reason: expect.stringMatching(reason) });
    expect(world.transport.calls).toEqual([]);
  });

  test('a ring that is learnt in time is used', async () => {
    let snapshot: RingSnapshot | undefined;
    const world = harness(() => 'delivered', { ring: localRing({ snapshot: () => snapshot }) });
    world.clock.after(300, () => {
      snapshot = snapshotOf(PODS);
    });
    expect(await outcome(world, world.send())).toMatchObject({ status: 'delivered', attempts: 1 });
  });

  test('a transport that throws counts as an answer that was lost', async () => {
    const world = harness(() => Promise.reject(new Error('bug')), { ttlMs: 100 });
    expect(await outcome(world, world.send())).toMatchObject({
      status: 'expired',
      reason: expect.stringMatching(/bug$/),
    });
  });
});

test('a message that a pod refuses is not tried elsewhere', async () => {
  const world = harness(byPod({ [FIRST]: { refused: 'status 413' } }));
  await expect(world.send()).rejects.toMatchObject({ code: 'refused', message: `${FIRST}: status 413` });
  expect(world.transport.pods).toEqual([FIRST]);
});

describe('order', () => {
  test('one message of a user and destination is in flight, others wait for it and come in order', async () => {
    const answers: ((result: PostResult) => void)[] = [];
    const world = harness(() => new Promise((resolve) => answers.push(resolve)));
    const results = [world.send(1), world.send(2), world.send(3)];
    for (let i = 0; i < 3; i++) {
      await settled();
      expect(answers).toHaveLength(i + 1);
      answers[i]?.('delivered');
    }
    await Promise.all(results);
    const bodies = world.transport.calls.map(({ message }) => Buffer.from(message.body).toString());
    expect(bodies).toEqual(['message 1', 'message 2', 'message 3']);
    expect(world.transport.calls.map(({ message }) => message.seq.split(':')[1])).toEqual(['1', '2', '3']);
  });

  test('other users and other destinations do not wait', async () => {
    const world = harness(() => new Promise(() => {}));
    void world.producer.send('alice', '/queue/x', '');
    void world.producer.send('alice', '/queue/y', '');
    void world.producer.send('bob', '/queue/x', '');
    await settled();
    expect(world.transport.calls).toHaveLength(3);
    expect(new Set(world.transport.calls.map(({ message }) => message.seq)).size).toBe(3);
  });

  test('a message whose time ends in the queue expires on time, untried, and leaves no hole', async () => {
    const world = harness(({ at }) => (at < 5000 ? LOST : 'delivered'));
    const first = world.send(1);
    const short = world.producer.send('alice', '/queue/x', 'short', { ttlMs: 300 });
    const third = world.send(3);
    expect(await outcome(world, short)).toMatchObject({ status: 'expired', attempts: 0, at: 300 });
    await outcome(world, Promise.all([first, third]));
    const bodies = new Set(world.transport.calls.map(({ message }) => Buffer.from(message.body).toString()));
    expect([...bodies]).toEqual(['message 1', 'message 3']);
    expect(world.transport.calls.at(-1)?.message.seq).toMatch(/:2$/);
    expect(world.clock.pendingTimers).toBe(0);
  });
});

describe('sequence numbers', () => {
  const seqs = (world: World) => [...new Set(world.transport.calls.map(({ message }) => message.seq.split(':')[1]))];

  test.each<[string, Script, string[]]>([
    ['a message that was proven offline', ({ at }) => (at < 2100 ? 'no-session' : 'delivered'), ['1']],
    ['a message that no pod could be asked for', ({ at }) => (at < 10_000 ? DOWN : 'delivered'), ['1']],
    ['a message that may have been taken', ({ at }) => (at < 10_000 ? LOST : 'delivered'), ['1', '2']],
    [
      'a message that may have been taken before all denied the user',
      ({ at }) => (at === 0 ? LOST : at < 2100 ? 'no-session' : 'delivered'),
      ['1', '2'],
    ],
  ])('after %s the next message has the right one', async (_, script, expected) => {
    const world = harness(script);
    await outcome(world, world.send());
    await world.clock.advance(500);
    expect(await outcome(world, world.send())).toMatchObject({ status: 'delivered' });
    expect(seqs(world)).toEqual(expected);
  });

  test('a refused message gives its number back', async () => {
    const world = harness(({ message }) => (message.body.length === 0 ? { refused: 'empty' } : 'delivered'));
    await expect(world.producer.send('alice', '/queue/x', '')).rejects.toThrow('empty');
    await outcome(world, world.send());
    expect(seqs(world)).toEqual(['1']);
  });

  test('id and seq of the caller are passed on as they are, and count for nothing here', async () => {
    const world = harness(() => 'delivered');
    const given = { id: 'my-id', seq: 'mine:7' };
    expect(await outcome(world, world.producer.send('alice', '/queue/x', '', given))).toMatchObject({ id: 'my-id' });
    await outcome(world, world.send());
    expect(world.transport.calls[0]?.message).toMatchObject(given);
    expect(world.transport.calls[1]?.message.seq).toMatch(/^[\w-]+:1$/);
  });

  test('two producers never share a stream', async () => {
    const streams = [harness(() => 'delivered'), harness(() => 'delivered')].map(async (world) => {
      await outcome(world, world.send());
      return world.transport.calls[0]?.message.seq;
    });
    expect(new Set(await Promise.all(streams)).size).toBe(2);
  });
});

describe('bounds', () => {
  const stuck: Script = () => new Promise(() => {});

  test.each([1, 2, 3])('%i messages of a lane fit where that many may wait, and no more', async (max) => {
    const world = harness(stuck, { maxQueuedPerLane: max });
    for (let i = 0; i < max; i++) void world.send(i);
    await expect(world.send()).rejects.toMatchObject({
      code: 'queue-full',
      message: expect.stringContaining(`${max} messages`),
    });
    void world.producer.send('alice', '/queue/other', '');
    expect(world.producer.queued).toBe(max + 1);
  });

  test('the place of a message is free when its result is told', async () => {
    const world = harness(() => 'delivered', { maxQueuedPerLane: 1 });
    for (let i = 0; i < 3; i++) expect(await world.send(i)).toMatchObject({ status: 'delivered' });
    const bytes = harness(() => 'delivered', { maxQueuedBytes: 10 });
    for (let i = 0; i < 3; i++) expect(await bytes.send(i)).toMatchObject({ status: 'delivered' });
  });

  test.each([
    [2, false],
    [3, false],
    [4, true],
  ])('of %i messages in all, with room for 3, one is turned away: %s', async (count, turnedAway) => {
    const world = harness(stuck, { maxQueued: 3 });
    const sent = Array.from({ length: count }, (_, i) => world.producer.send(`user ${i}`, '/queue/x', ''));
    const first = await Promise.race([sent.at(-1)?.catch((error) => error.code), settled()]);
    expect(first).toBe(turnedAway ? 'queue-full' : undefined);
  });

  test.each([
    [9, false],
    [10, false],
    [11, true],
  ])('of %i bytes, with room for 10, some are turned away: %s', async (bytes, turnedAway) => {
    const world = harness(stuck, { maxQueuedBytes: 10 });
    void world.producer.send('bob', '/queue/x', 'é');
    const second = world.producer.send('alice', '/queue/x', new Uint8Array(bytes - 2));
    expect(await Promise.race([second.catch((error) => error.code), settled()])).toBe(
      turnedAway ? 'queue-full' : undefined,
    );
  });

  test.each([
    [0, false],
    [1, true],
    [59_999, true],
    [60_000, true],
    [60_001, false],
    [Number.NaN, false],
  ])('a ttl of %d ms is accepted: %s', async (ttlMs, accepted) => {
    const world = harness(() => 'delivered');
    const code = await world.producer.send('alice', '/queue/x', '', { ttlMs }).then(
      () => 'sent',
      (error) => error.code,
    );
    expect(code).toBe(accepted ? 'sent' : 'bad-message');
  });

  test.each([
    ['ttlMs', 0],
    ['maxQueued', -1],
    ['offlineAfterMs', Number.NaN],
  ])('an option %s of %d is an error that names it', (name, value) => {
    expect(() => harness(stuck, { [name]: value })).toThrow(new RegExp(`^${name} must be a number from 1`));
  });

  test('a ttl over maxTtlMs is an error', () => {
    expect(() => harness(stuck, { ttlMs: 2, maxTtlMs: 1 })).toThrow(/ttlMs \(2\) must not be more than maxTtlMs \(1\)/);
  });
});

describe('close', () => {
  test('ends waits at once, closes transport and ring, refuses new messages', async () => {
    let ringClosed = false;
    const ring = { ...staticRing(PODS), close: () => (ringClosed = true) };
    const world = harness(() => DOWN, { ring });
    const results = [world.send(1), world.send(2)];
    await world.clock.advance(100);
    await world.producer.close();
    for (const result of results)
      expect(await result).toMatchObject({ status: 'expired', reason: expect.stringMatching(/closed/) });
    expect([world.transport.closed, ringClosed, world.clock.pendingTimers]).toEqual([true, true, 0]);
    await expect(world.send()).rejects.toMatchObject({ code: 'closed' });
  });

  test('with time to drain, lets accepted messages end by themselves', async () => {
    const world = harness(({ at }) => (at < 200 ? DOWN : 'delivered'));
    const results = Promise.all([world.send(1), world.send(2)]);
    const closed = world.producer.close({ drainMs: 5000 });
    expect((await outcome(world, results))[0]).toMatchObject({ status: 'delivered' });
    await closed;
    expect(world.clock.pendingTimers).toBe(0);
  });

  test('and not longer than that', async () => {
    const world = harness(() => DOWN);
    const result = outcome(world, world.send());
    const closed = world.producer.close({ drainMs: 500 });
    expect(await result).toMatchObject({ status: 'expired', at: 500 });
    await closed;
  });

  test('twice is once, and with nothing in flight it is immediate', async () => {
    const world = harness(() => 'delivered');
    expect(world.producer.close()).toBe(world.producer.close({ drainMs: 60_000 }));
    await world.producer.close();
  });
});
