/** The small parts of several workers: who is whose home, shares, restarts, and where everybody is. */
import { describe, expect, test } from 'vitest';
import { Directory } from '../../proxy/workers/directory.ts';
import { homeOf } from '../../proxy/workers/home.ts';
import { RESTART_MAX_MS, Restarts, WELL_AFTER_MS } from '../../proxy/workers/restarts.ts';
import { configOf, shareOf } from '../../proxy/workers/share.ts';
import { configFrom } from '../support/proxy.ts';

describe('homes', () => {
  test('are spread evenly', () => {
    const users = Array.from({ length: 10_000 }, (_, n) => `user-${n}`);
    const counts = [0, 0, 0, 0];
    for (const user of users) counts[homeOf(user, 4)] = (counts[homeOf(user, 4)] ?? 0) + 1;
    for (const count of counts) expect(count).toBeGreaterThan(2_300);
  });

  test('depend on the name and the number of workers, and on nothing else', () => {
    expect(['alice', 'bob', 'carol', 'dave', 'käthe'].map((user) => homeOf(user, 3))).toEqual([0, 1, 1, 2, 1]);
  });
});

describe('shares', () => {
  test.each([
    [3, 4, [1, 1, 1, 1]],
    [4, 4, [1, 1, 1, 1]],
    [5, 4, [2, 1, 1, 1]],
    [20_000, 3, [6667, 6667, 6666]],
  ])('of %d for %d', (total, count, shares) => {
    expect(Array.from({ length: count }, (_, index) => shareOf(total, index, count))).toEqual(shares);
  });

  test('of a configuration: what is of all is divided, what is of one user or session is not', () => {
    const config = configFrom(['--workers', '2', '--pods', 'a=127.0.0.1:1', '--limits-sessions', '9']);
    expect(configOf(config, 0)).toMatchObject({
      handover: { perSecond: 250, inFlightPerPod: 32 },
      hold: { sessionBytes: config.hold.sessionBytes, totalBytes: config.hold.totalBytes / 2 },
      limits: { sessions: 5, sessionsPerUser: config.limits.sessionsPerUser },
    });
    expect(configOf(config, 1).limits.sessions).toBe(4);
  });
});

describe('a worker that ends', () => {
  test('comes back later each time, to a bound', () => {
    const restarts = new Restarts();
    const waits = Array.from({ length: 9 }, () => restarts.ended(1_000));
    expect(waits).toEqual([100, 200, 400, 800, 1600, 3200, 6400, RESTART_MAX_MS, RESTART_MAX_MS]);
  });

  test.each([
    [WELL_AFTER_MS - 1, 200],
    [WELL_AFTER_MS, 100],
    [WELL_AFTER_MS + 1, 100],
  ])('after a life of %d ms it waits %d ms', (livedMs, waitMs) => {
    const restarts = new Restarts();
    restarts.ended(0);
    expect(restarts.ended(livedMs)).toBe(waitMs);
  });
});

describe('the directory', () => {
  const at = (key: string | undefined, settlesInMs = 0) => ({ key, settlesInMs });

  test('knows where users are, and who has left', () => {
    const directory = new Directory();
    directory.note(
      0,
      [
        ['alice', at('pod-1')],
        ['bob', at(undefined)],
      ],
      0,
    );
    expect([directory.keyOf('alice'), directory.isMoving('alice', 0)]).toEqual(['pod-1', false]);
    expect([directory.keyOf('bob'), directory.isMoving('bob', 0)]).toEqual([undefined, true]);
    expect([directory.keyOf('carol'), directory.isMoving('carol', 0)]).toEqual([undefined, false]);
    directory.note(0, [['bob', undefined]], 0);
    expect(directory.isMoving('bob', 0)).toBe(false);
  });

  test.each([
    [149, true],
    [150, false],
  ])('a subscription that is live in 50 ms, told at 100: at %d moving is %j', (now, moving) => {
    const directory = new Directory();
    directory.note(0, [['alice', at('pod-1', 50)]], 100);
    expect(directory.isMoving('alice', now)).toBe(moving);
  });

  test('of a user who is in two workers knows what either of them says', () => {
    const directory = new Directory();
    directory.note(0, [['alice', at('pod-1')]], 0);
    directory.note(1, [['alice', at(undefined)]], 0);
    expect([directory.keyOf('alice'), directory.isMoving('alice', 0)]).toEqual(['pod-1', true]);
    directory.note(1, [['alice', undefined]], 0);
    expect([directory.keyOf('alice'), directory.isMoving('alice', 0)]).toEqual(['pod-1', false]);
  });

  test('forgets what a worker knew that is gone, and nothing else', () => {
    const directory = new Directory();
    directory.note(0, [['alice', at('pod-1')]], 0);
    directory.note(1, [['bob', at('pod-2')]], 0);
    directory.forget(0);
    expect([directory.keyOf('alice'), directory.keyOf('bob')]).toEqual([undefined, 'pod-2']);
  });
});
