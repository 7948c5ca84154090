/**
 * What a seed stands for, written out: the world, and the list of what happens to it. Shrinking takes things out of a plan, so
 * everything that happens is chosen here and not on the way; only latencies and the like are thrown while the world runs.
 */
import { Dice } from './dice.ts';
import type { Profile } from './pods.ts';
import type { AckMode } from './work-queue.ts';

export const PLANNED = [
  'drain',
  'join',
  'unready',
  'refuse',
  'fail-replay',
  'slow-connect',
  'move-slice',
  'stale-slice',
  'late-topology',
  'lost-topology',
  'repeat-topology',
  'flap',
  'freeze-short',
  'slow-reader',
  'stutter',
  'newcomer',
  'leave',
  'lag',
] as const;

export const CRASHES = [
  'crash',
  'crash-silent',
  'crash-in-handover',
  'reset',
  'half-open',
  'stall',
  'error',
  'pod-trouble',
  'close',
  'drop',
  'freeze',
  'outage',
  'vanish',
] as const;

export type FaultKind = (typeof PLANNED)[number] | (typeof CRASHES)[number];

/** `pick` in [0, 1) says which pod, client or link; `ms` how long. */
export interface Fault {
  readonly atMs: number;
  readonly kind: FaultKind;
  readonly pick: number;
  readonly ms: number;
}

/** Something that a client or a producer says. */
export interface Saying {
  readonly atMs: number;
  readonly client: number;
  readonly what: 'send' | 'send-receipt' | 'subscribe' | 'unsubscribe' | 'transaction' | 'long-transaction' | 'job';
}

export interface PlannedUser {
  readonly name: string;
  readonly sessions: number;
  /** Its producer is the proxy's own gateway. */
  readonly isLocal: boolean;
  readonly messagesAtMs: readonly number[];
}

export interface Plan {
  readonly seed: number;
  readonly profile: Profile;
  /** Without crashes nothing at all may be lost, and every move is proven. */
  readonly crashes: boolean;
  /** A broker that gives each message to all pods, beside the messages for users. */
  readonly fanout: boolean;
  /** Messages carry ids and numbers. */
  readonly numbers: boolean;
  /** A topic of two producers whose messages every pod delivers, in an order of its own, with nothing to tell copies by. */
  readonly ticker: boolean;
  /** Jobs in a queue that all pods share, acknowledged in this mode. */
  readonly work: AckMode | undefined;
  /** A session may have one link at a time. */
  readonly exclusive: boolean;
  readonly latencyMs: number;
  readonly holdBytes: number;
  readonly pods: number;
  readonly users: readonly PlannedUser[];
  readonly sayings: readonly Saying[];
  readonly faults: readonly Fault[];
}

export const CALM_MS = 500;
export const TROUBLE_MS = 4_000;
/** Longer than any outage of a plan. */
const OUTAGE_MAX_MS = 30_000;

/** Messages without numbers keep their order only while the network is quicker than the room that is left for it. */
const QUICK_MS = 4;
/** And only while its links are read: of what waits on two of them nobody can tell which was first. */
const UNREAD: readonly FaultKind[] = ['slow-reader', 'freeze-short'];

/**
 * Copies without ids that a pod has more than SKEW_MS later than a barrier that proves nothing are twice, and must be: equal messages
 * of later would be lost else (docs/backends/README.md).
 */
const LATE: readonly FaultKind[] = ['stall'];

export function planOf(seed: number): Plan {
  const dice = Dice.for(seed, 'plan');
  const crashes = dice.chance(0.5);
  const numbers = crashes || dice.chance(0.7);
  const users = ['ann', 'bob'].slice(0, dice.chance(0.4) ? 1 : 2).map((name) => userOf(name, dice));
  const clients = users.reduce((sum, { sessions }) => sum + sessions, 0);
  const profile: Profile = dice.chance(0.7) ? 'receipt' : 'settle';
  const fanout = numbers && dice.chance(0.2);
  const more = moreOf(seed, profile, numbers);
  const avoided = [...(numbers ? [] : UNREAD), ...(more.ticker && profile === 'settle' ? LATE : [])];
  return {
    ...{ seed, profile, crashes, numbers, users, fanout, ...more },
    latencyMs: numbers ? (dice.pick([1, 10, 40]) ?? 1) : QUICK_MS,
    holdBytes: dice.chance(0.3) ? 1_024 : 65_536,
    pods: 2 + Math.floor(dice.next() * 3),
    sayings: [...sayingsOf(clients, dice), ...moreSayings(seed, clients)],
    faults: faultsOf(crashes, dice).filter(({ kind }) => !avoided.includes(kind)),
  };
}

/** Dice of their own: a seed is the world that it was before these came, and more. */
function moreOf(seed: number, profile: Profile, numbers: boolean): Pick<Plan, 'ticker' | 'work' | 'exclusive'> {
  const dice = Dice.for(seed, 'more');
  const ticker = dice.chance(0.2);
  const work = dice.chance(0.2) ? dice.pick(['client', 'client-individual'] as const) : undefined;
  const exclusive = dice.chance(0.05);
  const hasBroker = profile === 'receipt';
  return {
    ticker: ticker && !exclusive,
    work: hasBroker ? work : undefined,
    exclusive: exclusive && hasBroker && numbers,
  };
}

function moreSayings(seed: number, clients: number): Saying[] {
  const dice = Dice.for(seed, 'more sayings');
  const whats = (['long-transaction', 'job'] as const).filter(() => dice.chance(0.3));
  const one = (client: number) => whats.flatMap((what) => timesOf(dice, 400).map((atMs) => ({ atMs, client, what })));
  return Array.from({ length: clients }, (_, client) => one(client)).flat();
}

function userOf(name: string, dice: Dice): PlannedUser {
  return {
    name,
    sessions: dice.chance(0.2) ? 2 : 1,
    isLocal: dice.chance(0.5),
    messagesAtMs: timesOf(dice, dice.chance(0.3) ? 40 : 250),
  };
}

function timesOf(dice: Dice, everyMs: number): number[] {
  const times: number[] = [];
  for (let ms = CALM_MS; ms < CALM_MS + TROUBLE_MS; ms += dice.between(0, 2 * everyMs)) times.push(Math.round(ms));
  return times;
}

const SAYINGS: readonly Saying['what'][] = ['send', 'send', 'send-receipt', 'send-receipt', 'subscribe', 'unsubscribe'];

function sayingsOf(clients: number, dice: Dice): Saying[] {
  const isBusy = dice.chance(0.7);
  if (!isBusy) return [];
  const transactions = dice.chance(0.15);
  const saying = (atMs: number, client: number): Saying => {
    const what = transactions && dice.chance(0.15) ? 'transaction' : (dice.pick(SAYINGS) ?? 'send');
    return { atMs, client, what };
  };
  return Array.from({ length: clients }, (_, client) => timesOf(dice, 200).map((atMs) => saying(atMs, client))).flat();
}

function faultsOf(crashes: boolean, dice: Dice): Fault[] {
  const count = 1 + Math.floor(dice.next() ** 2 * 10);
  const faults: Fault[] = [];
  for (let i = 0; i < count; i++) {
    const kinds: readonly FaultKind[] = crashes && dice.chance(0.5) ? CRASHES : PLANNED;
    const kind = dice.pick(kinds) ?? 'drain';
    const atMs = Math.round(dice.between(CALM_MS, CALM_MS + TROUBLE_MS));
    const max = kind === 'outage' && dice.chance(0.2) ? OUTAGE_MAX_MS : 2_500;
    faults.push({ atMs, kind, pick: dice.next(), ms: Math.round(max * dice.next() ** 2) });
  }
  return faults.sort((a, b) => a.atMs - b.atMs);
}
