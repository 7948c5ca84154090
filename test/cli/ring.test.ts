import { describe, expect, test } from 'vitest';
import { type RingReport, ringReport } from '../../proxy/cli/ring-report.ts';
import { moved, Ring } from '../../ring/index.ts';
import { holdfast } from './support.ts';

const QUESTION = { pods: ['a', 'b', 'c'], options: {}, users: ['alice'], sample: 3_000, without: [] };

describe('the report', () => {
  test('names the ring, and the owner of a user with the next ones', () => {
    const ring = Ring.of(QUESTION.pods);
    const report = ringReport(QUESTION);
    expect(report.ring).toEqual({ version: ring.version, size: ring.size, keyKind: 'name', pods: ['a', 'b', 'c'] });
    expect(report.users).toEqual([{ user: 'alice', owners: ring.owners('alice', 3) }]);
    expect(report.without).toBeUndefined();
  });

  test('counts every made-up user once', () => {
    const { spread } = ringReport(QUESTION);
    const counts = spread.pods.map(({ users }) => users);
    expect(counts.reduce((sum, users) => sum + users, 0)).toBe(3_000);
    expect(spread.maxToMean).toBeCloseTo(Math.max(...counts) / 1_000);
  });

  test('says who moves when a pod leaves: only its own users, to the others', () => {
    const report = ringReport({ ...QUESTION, without: ['b'] });
    const owned = report.spread.pods.find(({ pod }) => pod === 'b')?.users;
    const users = Array.from({ length: 3_000 }, (_, i) => `user-${i}`);
    expect(report.without?.moved).toBe(owned);
    expect(report.without?.moved).toBe(moved(Ring.of(QUESTION.pods), Ring.of(['a', 'c']), users).length);
    expect(report.without?.flows.map(({ from, to }) => `${from}>${to}`).toSorted()).toEqual(['b>a', 'b>c']);
    expect(report.without?.flows.reduce((sum, flow) => sum + flow.users, 0)).toBe(owned);
    expect(report.without?.users[0]?.owners).not.toContain('b');
  });

  test('takes size, points per pod and the kind of key as the ring does', () => {
    expect(ringReport({ ...QUESTION, options: { size: 300 } }).ring.size).toBe(300);
    expect(ringReport({ ...QUESTION, options: { pointsPerPod: 10 } }).ring.size).toBe(30);
    const byAddress = ringReport({ ...QUESTION, options: { keyKind: 'address' } }).ring;
    expect(byAddress.version).not.toBe(ringReport(QUESTION).ring.version);
  });
});

describe('holdfast ring', () => {
  test('prints text', async () => {
    const argv = ['ring', '--pods', 'a, b,c', '--user', 'alice', '--user', 'bob', '--without', 'b', '--users', '1000'];
    const { code, out, err } = await holdfast(argv);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    const ring = Ring.of(['a', 'b', 'c']);
    const [first = '', ...next] = ring.owners('alice', 3);
    expect(out).toContain(`ring ${ring.version}: 3 pods, ${ring.size} points, hashed by name\n`);
    expect(out).toContain(`user alice: owner ${first}, then ${next.join(', ')}\nuser bob: owner `);
    expect(out).toMatch(/^share of 1000 users \(max\/mean 1\.\d{3}\)\n {2}a █+·* +\d+\.\d %\n {2}b /m);
    expect(out).toMatch(/^without b: \d+\.\d % of the users move \(\d+\)\n {2}b → [ac] █+·* \d+$/m);
  });

  test('prints JSON', async () => {
    const { code, out } = await holdfast(['ring', '--pods', 'b,a', '--users', '10', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(out) as RingReport).toEqual(
      ringReport({ pods: ['a', 'b'], options: { keyKind: 'name' }, users: [], sample: 10, without: [] }),
    );
  });

  test('one pod owns everybody', async () => {
    const { out } = await holdfast(['ring', '--pods', 'a', '--user', 'alice', '--users', '1']);
    expect(out).toContain('user alice: owner a\n');
    expect(out).toContain('100.0 %');
  });

  test.each([
    [['--pods', 'pod-1,pod-2', '--without', 'pod1'], '--without pod1: --pods has no such pod; did you mean pod-1?'],
    [['--pods', 'a,b,a'], '--pods names a twice; each pod is on the ring once'],
    [['--pods', 'a,b', '--without', 'b,a'], '--without leaves no pod; nobody would own anything'],
    [['--pods', 'a', '--size', '9000000'], 'ring size must be an integer from 1 to 8388608'],
    [['--pods', 'a', '--size', '5', '--points-per-pod', '5'], 'either size or pointsPerPod, not both'],
  ])('%j is told with code 2', async (argv, told) => {
    const { code, out, err } = await holdfast(['ring', ...argv]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(told);
  });
});
