/** What the ring costs, how even it is, how many users move, and what random placement does to agreement. */
import { hash, moved, Ring, type RingOptions } from '../../ring/index.ts';
import type { Outcome, Solo } from '../part.ts';
import { quantileOf } from '../statistics.ts';
import { medianCpuMs } from './cpu-time.ts';

const USERS = Array.from({ length: 100_000 }, (_, i) => `user-${i}`);
const pods = (count: number) => Array.from({ length: count }, (_, i) => `pod-${i + 1}`);

const BUILDS = 15;
const LOOKUPS = 7;
const NS_PER_MS = 1e6;

export const ring: Solo = {
  name: 'ring',
  description: 'the ring: build, lookup, how even it is, who moves, and what random placement would do',
  run: async () => ({ ...builds(), ...replacements(), ...lookups(), ...evenness(), ...moves(), ...agreement() }),
};

function builds(): Record<string, Outcome> {
  return Object.fromEntries(
    [3, 10, 100].map((count) => {
      const ms = medianCpuMs(BUILDS, () => Ring.of(pods(count)));
      return [`build, ${count} pods, ${count * 4096} points`, { figures: { 'CPU ms': ms } }];
    }),
  );
}

/** Each ring is made from the one before, as routing and producers do. */
function replacements(): Record<string, Outcome> {
  return Object.fromEntries(
    [10, 100].map((count) => {
      let keys = pods(count);
      let last = Ring.of(keys);
      const ms = medianCpuMs(BUILDS, () => {
        keys = [...keys.slice(1), `${keys[0]}-again`];
        last = Ring.of(keys, {}, last);
      });
      return [`one of ${count} pods replaced`, { figures: { 'CPU ms': ms } }];
    }),
  );
}

function lookups(): Record<string, Outcome> {
  const ten = Ring.of(pods(10));
  const perUser = (work: (user: string) => unknown): Outcome => {
    const ms = medianCpuMs(LOOKUPS, () => {
      for (const user of USERS) work(user);
    });
    return { figures: { 'CPU ns': (ms / USERS.length) * NS_PER_MS } };
  };
  return {
    'hash of a user': perUser(hash),
    'owner of a user, hash included, 10 pods': perUser((user) => ten.owner(user)),
    'three owners of a user, hash included, 10 pods': perUser((user) => ten.owners(user, 3)),
  };
}

/** Over many names of pods, since luck with ten names says little. */
function evenness(): Record<string, Outcome> {
  return Object.fromEntries(
    [1024, 2048, 4096, 8192].map((pointsPerPod) => {
      const loads = Array.from({ length: 30 }, (_, i) =>
        load(
          Array.from({ length: 10 }, (_, pod) => `app-${i}-${pod}`),
          { pointsPerPod },
        ),
      );
      const figures = {
        'max/mean load, median': quantileOf(loads, 0.5),
        'max/mean load, worst': Math.max(...loads),
        'of 30 over 1.06': loads.filter((max) => max > 1.06).length,
      };
      return [`10 pods, ${pointsPerPod} points each`, { figures }];
    }),
  );
}

function load(keys: string[], options: RingOptions): number {
  const placed = Ring.of(keys, options);
  const counts = new Map<string | undefined, number>();
  for (const user of USERS) counts.set(placed.owner(user), (counts.get(placed.owner(user)) ?? 0) + 1);
  return (Math.max(...counts.values()) * keys.length) / USERS.length;
}

const PLACEMENTS: readonly [string, RingOptions][] = [
  ['4096 points for each pod', {}],
  ['size 16384 in all', { size: 16_384 }],
];

function moves(): Record<string, Outcome> {
  return Object.fromEntries(
    [3, 10, 20].flatMap((count) =>
      PLACEMENTS.map(([name, options]) => {
        const all = moved(Ring.of(pods(count), options), Ring.of(pods(count + 1), options), USERS);
        const toNew = all.filter(({ to }) => to === `pod-${count + 1}`).length;
        const percent = (users: number) => (100 * users) / USERS.length;
        const figures = { 'to the new pod %': percent(toNew), 'between old pods %': percent(all.length - toNew) };
        return [`${count} to ${count + 1} pods, ${name}`, { figures }];
      }),
    ),
  );
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

function agreement(): Record<string, Outcome> {
  const some = USERS.slice(0, 2000);
  const shares = Array.from({ length: 40 }, () => {
    const [a, b] = [randomPlacement(pods(3)), randomPlacement(pods(3))];
    return some.filter((user) => a(user) !== b(user)).length / some.length;
  });
  const mean = shares.reduce((sum, share) => sum + share, 0) / shares.length;
  const [a, b] = [Ring.of(pods(3)), Ring.of(pods(3).reverse())];
  const ours = moved(a, b, USERS).length / USERS.length;
  const figures = { 'random placement %': 100 * mean, 'this ring %': 100 * ours };
  return { 'users on whose owner two processes disagree': { figures } };
}
