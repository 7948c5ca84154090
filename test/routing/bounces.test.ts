/** A pod that takes a session and drops it again is not asked without end. */
import { describe, expect, test } from 'vitest';
import { FORGET_MS, RETURN_MAX_MS, RETURN_MIN_MS, STEADY_MS } from '../../proxy/routing/bounces.ts';
import { RETRY_MIN_MS } from '../../proxy/routing/waits.ts';
import { OPTIONS, pod, userOf, World } from './world.ts';

const AB = userOf('a', 'b');
/** How long links of a pod that drops them live. */
const SHORT_MS = 5;

interface Visit {
  readonly at: string;
  readonly sinceMs: number;
}

/** A session whose links end after SHORT_MS, wherever `drops` says so; where it has been, until `untilMs`. */
function life(world: World, untilMs: number, drops: (name: string) => boolean): Visit[] {
  const visits: Visit[] = [];
  let endsAtMs = Number.POSITIVE_INFINITY;
  world.open(AB);
  for (;;) {
    for (const grant of world.grants()) {
      const name = grant.at(-1) ?? '';
      world.connect(1, name);
      visits.push({ at: name, sinceMs: world.now });
      endsAtMs = drops(name) ? world.now + SHORT_MS : Number.POSITIVE_INFINITY;
    }
    const nextMs = Math.min(endsAtMs, world.routing.nextDeadline(world.now));
    if (nextMs > untilMs) return visits;
    world.now = nextMs;
    if (nextMs !== endsAtMs) continue;
    endsAtMs = Number.POSITIVE_INFINITY;
    world.loses(1, visits.at(-1)?.at ?? '', 'session');
  }
}

const names = (visits: readonly Visit[]) => visits.map(({ at }) => at).join('');

describe('one pod of two drops the session each time', () => {
  test('the second time it goes elsewhere, and home again later each time', () => {
    const visits = life(new World(['a', 'b'], {}, () => 0), 4 * RETURN_MAX_MS, (name) => name === 'a');
    expect(names(visits)).toMatch(/^aa(ba)*b$/);
    const waits = visits.flatMap(({ at, sinceMs }, i) => (at === 'b' ? [(visits[i + 1]?.sinceMs ?? 0) - sinceMs] : []));
    const doubled = [1, 2, 4, 8, 16, 32].map((times) => times * RETURN_MIN_MS);
    expect(waits.slice(0, -1)).toEqual([...doubled, RETURN_MAX_MS, RETURN_MAX_MS]);
  });

  test('up to half of a wait is left to chance, so that they do not all go at once', () => {
    const visits = life(new World(['a', 'b'], {}, () => 0.999), 10_000, (name) => name === 'a');
    const [first, second] = visits.slice(2);
    expect((second?.sinceMs ?? 0) - (first?.sinceMs ?? 0)).toBeCloseTo(RETURN_MIN_MS / 2, -1);
  });

  test('it leaves a pod that goes away no later than after a try', () => {
    const world = new World(['a', 'b'], {}, () => 0);
    life(world, 2 * RETURN_MAX_MS, (name) => name === 'a');
    world.pods('a', pod('b', 'draining'));
    const [moved = ''] = [...world.grants(), ...world.until(world.now + OPTIONS.retryMaxMs)];
    expect(moved).toMatch(/1 handover a$/);
  });
});

test('the only pod drops the session each time: it is asked later each time, up to retry-max after the last', () => {
  const visits = life(new World(['a'], {}, () => 0), 60_000, () => true);
  const waits = visits.slice(1).map(({ sinceMs }, i) => sinceMs - (visits[i]?.sinceMs ?? 0) - SHORT_MS);
  const doubled = [1, 2, 4].map((times) => times * RETURN_MIN_MS);
  const longest = OPTIONS.retryMaxMs - SHORT_MS;
  expect(waits.slice(0, 6)).toEqual([0, ...doubled, longest, longest]);
});

test('a session that has to leave its pod for another one, which refuses it, tries that later each time', () => {
  const world = new World(['b'], { admitAfterMs: 0, commitMaxMs: Number.POSITIVE_INFINITY }, () => 0);
  world.linked(AB);
  world.pods('a', 'b');
  const triedAtMs: number[] = [];
  while (triedAtMs.length < 9) {
    let grants = world.grants();
    for (; grants.length === 0; grants = world.grants()) world.now = world.routing.nextDeadline(world.now);
    expect(grants).toEqual(['1 handover a']);
    triedAtMs.push(world.now);
    world.fails(1, 'a', 'session');
    world.routing.request(1, 'recovery', 0, world.now);
    expect(world.grants()).toEqual(['1 recovery b']);
    world.connect(1, 'b');
  }
  const waits = triedAtMs.slice(1).map((atMs, i) => atMs - (triedAtMs[i] ?? 0));
  const doubled = [1, 2, 4, 8, 16, 32].map((times) => times * RETURN_MIN_MS);
  expect(waits).toEqual([0, ...doubled, RETURN_MAX_MS]);
});

test.each([
  [STEADY_MS - 1, 'b'],
  [STEADY_MS, 'a'],
  [STEADY_MS + 1, 'a'],
])('a link that ends after %i ms: the session goes to %s', (livedMs, to) => {
  const world = new World(['a', 'b'], {}, () => 0);
  world.linked(AB);
  world.loses(1, 'a', 'session');
  expect(world.grants()).toEqual(['1 recovery a']);
  world.connect(1, 'a');
  world.now += livedMs;
  world.loses(1, 'a', 'session');
  expect(world.grants()).toEqual([`1 recovery ${to}`]);
});

test('one that was dropped joins the others of its user at its first try, not at its second', () => {
  const world = new World(['a', 'b']);
  world.linked(AB);
  world.linked(AB);
  world.loses(1, 'a', 'session');
  expect(world.grants()).toEqual(['1 recovery a']);
  world.connect(1, 'a');
  world.loses(1, 'a', 'session');
  expect([...world.grants(), ...world.until(RETRY_MIN_MS)].map((grant) => grant.slice(-1))).toEqual(['b']);
});

test.each([
  [FORGET_MS - 1, 'b'],
  [FORGET_MS, 'a'],
  [FORGET_MS + 1, 'a'],
])('one that leaves after %i ms, by a move, and is dropped once goes to %s', (stayedMs, to) => {
  const world = new World(['a', 'b'], {}, () => 0);
  world.linked(AB);
  for (const at of ['a', 'a']) {
    world.loses(1, at, 'session');
    const [grant = ''] = world.grants();
    world.connect(1, grant.slice(-1));
  }
  world.now += stayedMs;
  expect(world.grants()).toEqual(['1 handover a']);
  world.connect(1, 'a');
  world.loses(1, 'a', 'session');
  expect([...world.grants(), ...world.until(world.now + RETRY_MIN_MS)].map((grant) => grant.slice(-1))).toEqual([to]);
});

test('each is counted from the second in a row on, and one that was left in vain as well', () => {
  const world = new World(['a']);
  world.linked(AB);
  const bounced = () => world.routing.tick(world.now).bounced;
  const counts: number[] = [];
  const lose = (livedMs: number) => {
    world.now += livedMs;
    world.loses(1, 'a', 'session');
    counts.push(bounced());
    world.connect(1, 'a');
  };
  for (const livedMs of [SHORT_MS, SHORT_MS, STEADY_MS, SHORT_MS, STEADY_MS - 1]) lose(livedMs);
  world.fails(1, 'b', 'session');
  world.routing.request(1, 'recovery', 0, world.now);
  counts.push(bounced(), bounced());
  expect(counts).toEqual([0, 1, 0, 0, 1, 1, 0]);
});
