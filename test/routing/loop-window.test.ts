/** What the event loop itself can take, alone and as the governor uses it. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Pod } from '../../proxy/discovery/index.ts';
import {
  ALL_WITHIN_MS,
  HANDS_ON_MS,
  LATE_MS,
  LoopWindow,
  SHORT_MS,
  WINDOW_MAX,
  WINDOW_MIN,
  WINDOW_START,
} from '../../proxy/routing/loop-window.ts';
import { pod, userOf, World } from './world.ts';

describe('a window', () => {
  class Loop {
    readonly window = new LoopWindow<number>();
    now = 0;
    #last = 0;

    /** A turn of this length, in which as many as may are begun; how many. */
    turn(turnMs: number, waiting = 1): number {
      this.now += turnMs;
      this.window.turn(turnMs, waiting, this.now);
      let begun = 0;
      for (; this.window.hasRoom(); begun++) this.window.began(this.#last++, this.now);
      return begun;
    }

    /** The newest ones are CONNECTED. */
    connected(count: number): void {
      for (let i = 0; i < count; i++) this.window.outOfHand(--this.#last);
    }

    /** How many are in hand when it is full. */
    get size(): number {
      return this.#last;
    }
  }

  test('after a rest lets so many go and no more', () => {
    const loop = new Loop();
    expect(loop.turn(0)).toBe(WINDOW_START);
    expect(loop.turn(1)).toBe(0);
  });

  test('has room for one more when one is CONNECTED, or has come to nothing', () => {
    const { window } = new Loop();
    window.turn(0, 1, 0);
    for (let link = 0; link < WINDOW_START - 1; link++) window.began(link, 0);
    expect(window.roomAtMs()).toBeUndefined();
    window.began(99, 0);
    expect(window.hasRoom()).toBe(false);
    window.ended(3);
    expect(window.hasRoom()).toBe(true);
    window.began(3, 0);
    window.outOfHand(4);
    expect(window.hasRoom()).toBe(true);
  });

  test.each([
    [LATE_MS, WINDOW_START],
    [LATE_MS + 1, WINDOW_MIN],
  ])('after a turn of %i ms is %i', (turnMs, window) => {
    expect(new Loop().turn(turnMs)).toBe(window);
  });

  test('halves with each late turn, and never below the least', () => {
    const loop = grown(4 * WINDOW_MIN + 1);
    expect(loop.turn(LATE_MS + 1)).toBe(0);
    loop.connected(loop.size);
    expect(loop.turn(LATE_MS)).toBe(2 * WINDOW_MIN);
    for (let again = 0; again < 2; again++) {
      loop.connected(loop.size);
      expect(loop.turn(LATE_MS + 1)).toBe(WINDOW_MIN);
    }
  });

  test.each([
    [SHORT_MS - 1, 3],
    [SHORT_MS, 0],
  ])('that was the limit grows by one for each that is CONNECTED after a turn of %i ms: %i', (turnMs, more) => {
    const loop = new Loop();
    loop.turn(0);
    loop.turn(turnMs);
    loop.connected(3);
    expect(loop.turn(turnMs)).toBe(3 + more);
  });

  test('that was not the limit does not grow', () => {
    const { window } = new Loop();
    for (let now = 0; now < 50; now++) {
      window.turn(1, 1, now);
      window.hasRoom();
      window.began(now, now);
      window.outOfHand(now);
    }
    expect(begunOf(window, 50)).toBe(WINDOW_START);
  });

  test('grows to the most and not beyond', () => {
    const loop = grown(WINDOW_MAX);
    loop.turn(1);
    loop.connected(3);
    expect(loop.turn(1)).toBe(3);
  });

  test('begins anew after a rest', () => {
    const loop = grown(100);
    loop.connected(loop.size);
    loop.window.turn(1, 0, loop.now);
    loop.window.turn(1, 0, loop.now);
    expect(begunOf(loop.window, loop.now)).toBe(WINDOW_START);
  });

  test(`a link is in hand for ${HANDS_ON_MS} ms at most`, () => {
    const loop = new Loop();
    loop.turn(0);
    expect(loop.window.roomAtMs()).toBe(HANDS_ON_MS);
    loop.now = HANDS_ON_MS - 1;
    expect(loop.turn(0)).toBe(0);
    loop.now = HANDS_ON_MS;
    expect(loop.turn(0)).toBe(2 * WINDOW_START);
  });

  const PER_HANDS_ON = ALL_WITHIN_MS / HANDS_ON_MS;
  test.each([
    [PER_HANDS_ON * WINDOW_START, WINDOW_START],
    [PER_HANDS_ON * WINDOW_START + 1, WINDOW_START + 1],
    [PER_HANDS_ON * WINDOW_MAX, WINDOW_MAX],
    [PER_HANDS_ON * WINDOW_MAX + 1, WINDOW_MAX],
  ])('is large enough for %i that wait: %i', (waiting, window) => {
    expect(new Loop().turn(0, waiting)).toBe(window);
  });

  test('however late each turn is, all are on their way in time, and those that come after them do not wait for their sake', () => {
    const loop = new Loop();
    const all = 5_000;
    let left = all;
    for (; left > 0; loop.connected(loop.size)) left -= Math.min(left, loop.turn(HANDS_ON_MS, left));
    expect(loop.now).toBeLessThanOrEqual(ALL_WITHIN_MS);
    loop.turn(HANDS_ON_MS, 0);
    loop.connected(loop.size);
    expect(loop.turn(HANDS_ON_MS)).toBe(WINDOW_MIN);
  });

  /** A loop with short turns whose window has become this large and is full. */
  function grown(to: number): Loop {
    const loop = new Loop();
    for (loop.turn(0); loop.size < to; loop.turn(0)) {
      loop.turn(0);
      loop.connected(Math.min(loop.size, to - loop.size));
    }
    return loop;
  }

  function begunOf(window: LoopWindow<number>, now: number): number {
    let begun = 0;
    for (; window.hasRoom(); begun++) window.began(10_000 + begun, now);
    return begun;
  }
});

describe('the governor', () => {
  const QUICK = { perSecond: 10_000, inFlightPerPod: 64 };

  test('gives each pod one in turn', () => {
    const world = new World(['a', 'b', 'c'], QUICK);
    for (const owner of ['a', 'b', 'c'])
      for (let i = 0; i < WINDOW_START; i++) world.open(userOf(owner, ...['a', 'b', 'c'].filter((id) => id !== owner)));
    const granted = world.grants().map((grant) => grant.split(' ')[2]);
    expect(granted.join('')).toBe('abc'.repeat(WINDOW_START / 3));
  });

  test('a pod that hangs keeps nobody from the others for long', () => {
    const world = new World(['a', 'b'], QUICK);
    for (let i = 0; i < WINDOW_START; i++) world.open(userOf('a', 'b'));
    expect(world.grants()).toHaveLength(WINDOW_START);
    const other = world.open(userOf('b', 'a'));
    expect(world.grants()).toEqual([]);
    expect(world.until(HANDS_ON_MS)).toEqual([`${HANDS_ON_MS}: ${other} open b`]);
  });

  test.each(['handover', 'recovery'])('has as many in hand for a %s as the event loop takes', (cause) => {
    const world = new World(['a', 'b'], QUICK);
    const sessions = Array.from({ length: 3 * WINDOW_START }, () => world.linked(userOf('a', 'b')));
    if (cause === 'handover') world.pods(pod('a', 'draining'), 'b');
    else for (const session of sessions) world.loses(session, 'a');
    const first = world.grants();
    expect(first).toHaveLength(WINDOW_START);
    expect(world.routing.nextDeadline(world.now)).toBe(world.now + HANDS_ON_MS);
    expect(world.routing.tick(world.now, LATE_MS + 1).grants).toEqual([]);
    for (const grant of first) world.connect(Number(grant.split(' ')[0]), 'b');
    expect(world.routing.tick(world.now, LATE_MS + 1).grants).toHaveLength(WINDOW_MIN);
  });

  test('where all pods are in doubt, tries no more at one time than the event loop takes', () => {
    const ids = Array.from({ length: 2 * WINDOW_START }, (_, i) => `p${i}`);
    const world = new World(ids, QUICK);
    const sessions = ids.map((id) => world.open(`user-${id}`));
    for (const id of ids) world.fails(0, id, 'pod');
    for (const session of sessions) world.routing.request(session, 'open', 0, world.now);
    expect(world.grants()).toEqual([]);
    const granted = world.until(60_000);
    expect(granted.filter((grant) => grant.startsWith(granted[0]?.split(' ')[0] ?? ''))).toHaveLength(WINDOW_START);
    expect(granted).toHaveLength(sessions.length);
  });

  test('a session that closes while it is in hand makes room', () => {
    const world = new World(['a'], QUICK);
    const sessions = Array.from({ length: WINDOW_START + 1 }, (_, i) => world.open(`user-${i}`));
    world.grants();
    world.routing.close(sessions[0] ?? 0);
    expect(world.grants()).toEqual([`${sessions.at(-1)} open a`]);
  });

  test('lets one move go with all the links that there is room for, and none alone', () => {
    const world = new World(['a', 'b'], QUICK);
    const moving = [userOf('a', 'b'), userOf('a', 'b')].map((user) => world.linked(user));
    world.pods(pod('a', 'draining'), 'b');
    const newcomers = Array.from({ length: 2 * WINDOW_START }, () => world.open(userOf('b', 'a')));
    const first = world.routing.tick(world.now).grants;
    expect(first.map(({ cause }) => cause)).toEqual([...Array(WINDOW_START).fill('open'), 'handover']);
    expect(world.routing.tick(world.now, LATE_MS + 1).grants).toEqual([]);
    for (const session of newcomers.slice(0, WINDOW_START)) world.connect(session, 'b');
    const next = world.routing.tick(world.now, LATE_MS + 1).grants;
    expect(next.map(({ cause }) => cause)).toEqual([...Array(WINDOW_MIN - 1).fill('open'), 'handover']);
    expect(moving).toContain(next.at(-1)?.session);
  });

  test('has more in hand where links are CONNECTED and turns are short', () => {
    const world = new World(['a'], QUICK);
    for (let i = 0; i < 4 * WINDOW_START; i++) world.open(`user-${i}`);
    const first = world.grants();
    expect(world.grants()).toEqual([]);
    for (const grant of first) world.connect(Number(grant.split(' ')[0]), 'a');
    expect(world.grants()).toHaveLength(2 * WINDOW_START);
  });

  test('asks for nothing when the event loop has enough in hand and nobody waits', () => {
    const world = new World(['a'], QUICK);
    for (let i = 0; i < WINDOW_START; i++) world.open(`user-${i}`);
    expect(world.grants()).toHaveLength(WINDOW_START);
    expect(world.routing.nextDeadline(world.now)).toBe(Number.POSITIVE_INFINITY);
  });

  test('forgets nobody: whatever turns and pods do, all are linked, woken by nothing but links and deadlines', () => {
    const oneOf = fc.record({ user: fc.nat(99), tookMs: fc.constantFrom(1, 20, HANDS_ON_MS, 300, 9_000) });
    const turnMs = fc.infiniteStream(fc.constantFrom(0, SHORT_MS, LATE_MS + 1, 200));
    fc.assert(
      fc.property(fc.array(oneOf, { minLength: 1, maxLength: 150 }), turnMs, fc.boolean(), (all, turns, isMove) => {
        const world = new World(['a', 'b', 'c'], { perSecond: 500, inFlightPerPod: 32 });
        const took = new Map(all.map(({ user, tookMs }) => [world.open(`user-${user}`), tookMs]));
        if (isMove) {
          world.connectAll();
          world.pods('a', pod('b', 'draining'), 'c');
        }
        const onTheirWay: { session: number; pod: Pod; atMs: number }[] = [];
        for (;;) {
          const { grants } = world.routing.tick(world.now, turns.next().value);
          for (const { session, pod } of grants)
            onTheirWay.push({ session, pod, atMs: world.now + (took.get(session) ?? 0) });
          onTheirWay.sort((x, y) => y.atMs - x.atMs);
          const deadline = world.routing.nextDeadline(world.now);
          const first = onTheirWay.at(-1)?.atMs ?? Number.POSITIVE_INFINITY;
          if (Math.min(deadline, first) === Number.POSITIVE_INFINITY) break;
          world.now = Math.max(world.now, Math.min(deadline, first));
          const next = first <= world.now ? onTheirWay.pop() : undefined;
          if (next !== undefined) world.connect(next.session, next.pod, took.get(next.session));
        }
        expect(world.routing.governed).toEqual({ queued: 0, inFlight: 0, astray: 0 });
      }),
      { numRuns: 200 },
    );
  });

  test('counts those that wait for a link and those that are to be moved', () => {
    const world = new World(['a', 'b'], { ...QUICK, inFlightPerPod: 4 * WINDOW_START });
    for (let i = 0; i < (ALL_WITHIN_MS / HANDS_ON_MS) * WINDOW_START; i++) world.open(userOf('a', 'b'));
    world.connectAll();
    world.pods(pod('a', 'draining'), 'b');
    world.open(userOf('b', 'a'));
    world.grants();
    world.grants();
    expect(world.routing.governed.inFlight).toBe(WINDOW_START + 1);
  });
});
