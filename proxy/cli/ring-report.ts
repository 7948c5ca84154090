import { moved, Ring, type RingOptions } from '../../ring/index.ts';

export interface RingQuestion {
  readonly pods: readonly string[];
  readonly options: RingOptions;
  /** Users to show the owners of. */
  readonly users: readonly string[];
  /** How many made-up users (user-0, user-1, …) to measure with. */
  readonly sample: number;
  /** Pods to take away, to see what would move. */
  readonly without: readonly string[];
}

export interface RingReport {
  readonly ring: RingName;
  readonly users: readonly { readonly user: string; readonly owners: readonly string[] }[];
  readonly spread: {
    readonly users: number;
    /** The fullest pod against the mean: 1 is even. */
    readonly maxToMean: number;
    readonly pods: readonly { readonly pod: string; readonly users: number; readonly share: number }[];
  };
  readonly without?: {
    readonly pods: readonly string[];
    readonly ring: RingName;
    readonly moved: number;
    readonly share: number;
    readonly flows: readonly { readonly from: string; readonly to: string; readonly users: number }[];
    readonly users: readonly { readonly user: string; readonly owners: readonly string[] }[];
  };
}

interface RingName {
  readonly version: string;
  readonly size: number;
  readonly keyKind: string;
  readonly pods: readonly string[];
}

/** Owners, spread and moves. Throws RangeError for what the ring does not take. */
export function ringReport(question: RingQuestion): RingReport {
  const ring = Ring.of(question.pods, question.options);
  const sample = Array.from({ length: question.sample }, (_, index) => `user-${index}`);
  const report = { ring: nameOf(ring), users: ownersOf(ring, question.users), spread: spreadOf(ring, sample) };
  return question.without.length === 0 ? report : { ...report, without: withoutOf(ring, question, sample) };
}

function nameOf({ version, size, keyKind, keys }: Ring): RingName {
  return { version, size, keyKind, pods: keys };
}

function ownersOf(ring: Ring, users: readonly string[]) {
  return users.map((user) => ({ user, owners: ring.owners(user, ring.keys.length) }));
}

function spreadOf(ring: Ring, sample: readonly string[]): RingReport['spread'] {
  const counts = new Map(ring.keys.map((pod) => [pod, 0]));
  for (const user of sample) add(counts, ring.owner(user) ?? '');
  const pods = [...counts].map(([pod, users]) => ({ pod, users, share: users / sample.length }));
  return { users: sample.length, maxToMean: Math.max(...pods.map(({ share }) => share)) * pods.length, pods };
}

function withoutOf(ring: Ring, question: RingQuestion, sample: readonly string[]): NonNullable<RingReport['without']> {
  const rest = Ring.of(
    question.pods.filter((pod) => !question.without.includes(pod)),
    question.options,
  );
  const moves = moved(ring, rest, sample);
  const counts = new Map<string, number>();
  for (const { from = '', to = '' } of moves) add(counts, JSON.stringify([from, to]));
  const flows = [...counts].map(([pair, users]) => {
    const [from, to] = JSON.parse(pair) as [string, string];
    return { from, to, users };
  });
  return {
    pods: question.without,
    ring: nameOf(rest),
    moved: moves.length,
    share: moves.length / sample.length,
    flows: flows.toSorted((a, b) => b.users - a.users),
    users: ownersOf(rest, question.users),
  };
}

function add(counts: Map<string, number>, name: string): void {
  counts.set(name, (counts.get(name) ?? 0) + 1);
}
