/**
 * What the ring costs, how even it is, how many users move, and what random placement does to agreement.
 * Usage: node tools/run.mjs bench/ring.ts
 */
import { hash, moved, Ring, type RingOptions } from '../ring/index.ts';

const USERS = Array.from({ length: 100_000 }, (_, i) => `user-${i}`);
const pods = (count: number) => Array.from({ length: count }, (_, i) => `pod-${i + 1}`);
const line = (what: string, figure: string) => console.log(`${what.padEnd(64)}${figure}`);
const percent = (share: number) => `${(100 * share).toFixed(2)} %`;

/** Median over runs of milliseconds. */
function median(runs: number, work: () => void): number {
  const times = Array.from({ length: runs }, () => {
    const start = performance.now();
    work();
    return performance.now() - start;
  }).sort((a, b) => a - b);
  return times[Math.floor(runs / 2)] ?? 0;
}

function cost(): void {
  for (const count of [3, 10, 100]) {
    const time = median(15, () => Ring.of(pods(count)));
    line(`build, ${count} pods, ${count * 4096} points`, `${time.toFixed(1)} ms`);
  }
  const ring = Ring.of(pods(10));
  const perUser = (work: (user: string) => unknown) =>
    `${((median(7, () => USERS.forEach(work)) / USERS.length) * 1e6).toFixed(0)} ns`;
  line('hash of a user', perUser(hash));
  line(
    'owner of a user, hash included, 10 pods',
    perUser((user) => ring.owner(user)),
  );
  line(
    'three owners of a user, hash included, 10 pods',
    perUser((user) => ring.owners(user, 3)),
  );
}

function load(keys: string[], options: RingOptions): number {
  const ring = Ring.of(keys, options);
  const counts = new Map<string | undefined, number>();
  for (const user of USERS) counts.set(ring.owner(user), (counts.get(ring.owner(user)) ?? 0) + 1);
  return (Math.max(...counts.values()) * keys.length) / USERS.length;
}

/** Over many names of pods, since luck with ten names says little. */
function evenness(): void {
  for (const pointsPerPod of [1024, 2048, 4096, 8192]) {
    const loads = Array.from({ length: 30 }, (_, i) =>
      load(
        Array.from({ length: 10 }, (_, pod) => `app-${i}-${pod}`),
        { pointsPerPod },
      ),
    ).sort((a, b) => a - b);
    const over = loads.filter((max) => max > 1.06).length;
    const figures = `median ${loads[15]?.toFixed(3)}, worst ${loads.at(-1)?.toFixed(3)}, ${over} of 30 over 1.06`;
    line(`max/mean load, 10 pods, ${pointsPerPod} points each`, figures);
  }
}

function moves(): void {
  for (const count of [3, 10, 20]) {
    for (const [name, options] of [
      ['4096 points for each pod', {}],
      ['size 16384 in all', { size: 16_384 }],
    ] as const) {
      const [before, after] = [Ring.of(pods(count), options), Ring.of(pods(count + 1), options)];
      const all = moved(before, after, USERS);
      const toNew = all.filter(({ to }) => to === `pod-${count + 1}`).length;
      const figures = `to the new pod ${percent(toNew / USERS.length)}, between old pods ${percent((all.length - toNew) / USERS.length)}`;
      line(`users that move, ${count} to ${count + 1} pods, ${name}`, figures);
    }
  }
}

/** Points placed as the npm package consistent-hash places them: at random, in each process anew. */
function randomPlacement(keys: string[]): (user: string) => string | undefined {
  const points = keys
    .flatMap((key) =>
      Array.from({ length: 40 }, () => ({ at: BigInt(Math.floor(Math.random() * 2 ** 32)) << 32n, key })),
    )
    .sort((a, b) => Number(a.at - b.at));
  return (user) => (points.find(({ at }) => at >= hash(user)) ?? points[0])?.key;
}

function agreement(): void {
  const some = USERS.slice(0, 2000);
  const shares = Array.from({ length: 40 }, () => {
    const [a, b] = [randomPlacement(pods(3)), randomPlacement(pods(3))];
    return some.filter((user) => a(user) !== b(user)).length / some.length;
  });
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  line('users on whose owner two processes disagree, random placement', percent(mean));
  const [a, b] = [Ring.of(pods(3)), Ring.of(pods(3).reverse())];
  line('users on whose owner two processes disagree, this ring', percent(moved(a, b, USERS).length / USERS.length));
}

cost();
evenness();
moves();
agreement();
