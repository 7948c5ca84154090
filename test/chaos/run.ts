/** A run of chaos: rounds of faults under load, each of them mended at the end, when every session must live. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Clients } from '../experiment/clients.ts';
import { nowMs, sleep } from '../experiment/clock.ts';
import { Fleet } from '../experiment/fleet.ts';
import { produce } from '../experiment/load.ts';
import type { Posting } from '../experiment/posting.ts';
import { type ProxyProcess, startProxy } from '../experiment/proxy.ts';
import { seeded } from '../experiment/random.ts';
import { watchStalls } from '../experiment/stall.ts';
import type { Finding, Ledger, Tally } from '../ledger/ledger.ts';
import { arrived } from './arrived.ts';
import { Doors } from './doors.ts';
import { watchPeak } from './peak.ts';
import { openProducers, type Producers, SERVICE_USER } from './producers.ts';
import { DESTINATIONS, PROBE, Record, unannounced } from './record.ts';
import { descriptorsOf, MEMORY_FLAGS, type Rest, rest } from './rest.ts';
import { type Kind, scheduleOf } from './schedule.ts';
import { Stage, type Strike } from './stage.ts';
import { steadfast } from './steadfast.ts';

export interface ChaosOptions {
  readonly seed: number;
  readonly durationMs: number;
  readonly pods: number;
  readonly clients: number;
  /** Messages per second, to all clients together. */
  readonly rate: number;
  readonly logFile?: string | undefined;
  readonly onLine?: (line: string) => void;
}

export interface Outcome {
  /** Summed over the rounds, the longest times taken. */
  readonly tally: Omit<Tally, 'minPerUser' | 'maxPerUser' | 'slowest' | 'losers'>;
  readonly unannounced: readonly Finding[];
  readonly faults: readonly Finding[];
  /** Of those reordered, the ones that came after their producer was told that they would not. */
  readonly late: number;
  /** What producers were told instead of `delivered`, and how often. */
  readonly refused: Readonly<globalThis.Record<string, number>>;
  readonly closes: number;
  /** ERROR frames that clients got: what they said, and how often. */
  readonly errors: Readonly<globalThis.Record<string, number>>;
  readonly moves: number;
  /** Moves that were told as unproven. */
  readonly gaps: number;
  readonly strikes: readonly Strike[];
  readonly skipped: number;
  /** From a fault to the last notice that a session went on elsewhere, by kind; the longest. */
  readonly liveAgainMs: Partial<globalThis.Record<Kind, number>>;
  /** After the faults: users whose one more message did not arrive. */
  readonly dead: number;
  /** After the faults, what never went back to where it was. */
  readonly unsettled: readonly string[];
  /** Before the faults, and after each round of them, when all is settled. */
  readonly rests: readonly Rest[];
  /** The largest memory under load. */
  readonly peakRssMB: number;
  readonly messagesPerSecond: number;
  readonly stallMs: number;
}

/**
 * Numbers and ledgers begin anew after so long, so that hours need no more memory than minutes; and a run of five minutes rests
 * twice after faults: what the second round adds to the first is a leak, and no cache that fills.
 */
export const ROUND_MAX_MS = 150_000;
/** The last fault of a round begins so long before its messages end, or a quarter of the round. */
const TAIL_MS = 20_000;
/** Within which the one more message is sent to every user. */
const PROBE_MS = 3_000;
/** After the faults all is where it was within this time: an old link drains for up to 5 s after the commit, 30 s without one. */
const SETTLE_MAX_MS = 45_000;
/** A message that waits at the gateway, and then at a pod that is silent, is told lost within both times. */
const ANNOUNCED_WITHIN_MS = 20_000;

interface World extends ChaosOptions {
  readonly users: readonly string[];
  readonly stage: Stage;
  readonly proxy: ProxyProcess;
  readonly producers: Producers;
  readonly posting: Posting;
  readonly record: Record;
}

export async function chaos(options: ChaosOptions): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-chaos-'));
  const fleet = new Fleet({ directory, flags: ['--service-user', SERVICE_USER] });
  const doors = new Doors();
  try {
    const stage = new Stage(fleet, doors, seeded(options.seed + 1));
    for (let i = 0; i < options.pods; i++) await stage.add();
    const proxy = await startProxy({ podsFile: fleet.file, logFile: options.logFile, nodeFlags: MEMORY_FLAGS });
    const record = new Record();
    const producers = await openProducers(proxy.adminUrl);
    try {
      return await Promise.race([withClients(options, stage, proxy, producers, record), proxy.failed]);
    } finally {
      producers.close();
      await proxy.stop();
    }
  } finally {
    await fleet.stop();
    await doors.stop();
    rmSync(directory, { recursive: true });
  }
}

async function withClients(
  options: ChaosOptions,
  stage: Stage,
  proxy: ProxyProcess,
  producers: Producers,
  record: Record,
): Promise<Outcome> {
  const posting = steadfast(producers, (lane, n, outcome) => record.refuse(lane, n, outcome));
  const users = Array.from({ length: options.clients }, (_, index) => `user-${index + 1}`);
  const clients = await Clients.open({
    ...{ url: proxy.listenUrl, users, destinations: [...DESTINATIONS, PROBE], notices: true },
    onEvent: (event) => record.add(event),
  });
  const peak = watchPeak(proxy.process.pid);
  try {
    const rests = [await rest(proxy.process)];
    const stall = watchStalls();
    const world = { ...options, users, stage, proxy, producers, posting, record };
    const rounds: Round[] = [];
    for (const [index, durationMs] of roundsOf(options.durationMs).entries()) {
      record.nextRound();
      rounds.push(await round(world, index, durationMs, rests[0]?.descriptors ?? 0));
      rests.push(await rest(proxy.process));
    }
    const stallMs = Math.max(stall(), await clients.leave());
    return outcomeOf(world, rounds, { stallMs, rests, peakRssMB: peak() });
  } finally {
    peak();
    await clients.kill();
  }
}

function roundsOf(durationMs: number): number[] {
  const count = Math.ceil(durationMs / ROUND_MAX_MS);
  return Array.from({ length: count }, () => durationMs / count);
}

interface Round {
  readonly tally: Tally;
  readonly findings: readonly Finding[];
  readonly unannounced: readonly Finding[];
  readonly gaps: number;
  readonly late: number;
  readonly liveAgainMs: [Kind, number][];
  readonly dead: number;
  readonly unsettled: readonly string[];
  readonly sendingMs: number;
}

async function round(world: World, index: number, durationMs: number, descriptorsBefore: number): Promise<Round> {
  const { record, stage, onLine } = world;
  const from = stage.strikes.length;
  const random = seeded(world.seed + 1000 * index);
  const steps = scheduleOf(random, durationMs - Math.min(TAIL_MS, durationMs / 4));
  const startMs = nowMs();
  const messages = Math.max(1, Math.round((world.rate * durationMs) / 1000 / world.clients));
  const sending = produceTo(world, { destinations: DESTINATIONS, messages, durationMs, ledger: record.ledger }).then(
    () => nowMs() - startMs,
  );
  const happening = steps.map(async (step) => {
    await sleep(step.atMs);
    onLine?.(`${(step.atMs / 1000).toFixed(1)} s: ${step.kind}${step.lastsMs > 0 ? ` for ${step.lastsMs} ms` : ''}`);
    await stage.take(step);
  });
  const [sendingMs] = await Promise.all([sending, ...happening]);
  await arrived(record.ledger);
  await produceTo(world, { destinations: [PROBE], messages: 1, durationMs: PROBE_MS, ledger: record.probes });
  await arrived(record.probes);
  // Connections that the producer keeps open for its next message are not the proxy's.
  world.producers.rest();
  const unsettled = await settled(world, descriptorsBefore);
  const findings = record.ledger.findings();
  return {
    ...{ tally: record.ledger.tally(), findings, gaps: record.gaps.length, unsettled, sendingMs },
    unannounced: unannounced(record.ledger.lost(), record.gaps, ANNOUNCED_WITHIN_MS),
    liveAgainMs: liveAgain(stage.strikes.slice(from), record),
    late: findings.filter((finding) => record.isLate(finding)).length,
    dead: record.probes.tally().losers.length,
  };
}

function produceTo(
  { users, posting, seed }: World,
  load: { destinations: readonly string[]; messages: number; durationMs: number; ledger: Ledger },
): Promise<number> {
  return produce({ ...load, users, posting, random: seeded(seed) });
}

/** After each fault whose pod was left by recovery: until the last of its sessions was told. A gap is of the last fault before it. */
function liveAgain(strikes: readonly Strike[], { gaps }: Record): [Kind, number][] {
  const ends = new Map<Strike, number>();
  for (const { planned, from, atMs } of gaps) {
    const cause = strikes.findLast(({ pod, atMs: struckAtMs }) => pod === from && struckAtMs <= atMs);
    if (planned || cause === undefined) continue;
    ends.set(cause, Math.max(atMs - cause.atMs, ends.get(cause) ?? 0));
  }
  return Array.from(ends, ([{ kind }, ms]) => [kind, ms]);
}

/** What a session or a producer leaves behind is gone when all is quiet: links, held frames, queues, descriptors. */
async function settled(world: World, descriptorsBefore: number): Promise<string[]> {
  const untilMs = nowMs() + SETTLE_MAX_MS;
  for (;;) {
    const more = descriptorsOf(world.proxy.process) - descriptorsBefore;
    const unsettled = unsettledOf(await world.proxy.metrics(), world.users.length, more);
    if (unsettled.length === 0 || nowMs() > untilMs) return unsettled;
    await sleep(500);
  }
}

/** Idle connections of the gateway to pods and of whoever reads the metrics, however many clients there are. */
const IDLE_CONNECTIONS_MAX = 16;

function unsettledOf(metrics: ReadonlyMap<string, number>, clients: number, moreDescriptors: number): string[] {
  const sum = (name: string) =>
    [...metrics]
      .filter(([key]) => key === name || key.startsWith(`${name}{`))
      .reduce((all, [, value]) => all + value, 0);
  const wanted: [string, number, number][] = [
    ['sessions', sum('holdfast_sessions'), clients],
    ['links', sum('holdfast_links'), clients],
    ['frames held', sum('holdfast_held_frames'), 0],
    ['sessions that wait to be moved', sum('holdfast_governor_queue'), 0],
    ['links on their way', sum('holdfast_governor_in_flight'), 0],
    ['sockets that are not read', sum('holdfast_paused'), 0],
  ];
  const wrong = wanted
    .filter(([, is, should]) => is !== should)
    .map(([what, is, should]) => `${is} ${what}, not ${should}`);
  return moreDescriptors > IDLE_CONNECTIONS_MAX ? [...wrong, `${moreDescriptors} descriptors more than before`] : wrong;
}

function outcomeOf(
  { record, stage, durationMs }: World,
  rounds: readonly Round[],
  facts: Pick<Outcome, 'stallMs' | 'rests' | 'peakRssMB'>,
): Outcome {
  const sum = (read: (round: Round) => number) => rounds.reduce((all, each) => all + read(each), 0);
  const most = (read: (round: Round) => number) => Math.max(...rounds.map(read));
  const counts = ['sent', 'received', 'lost', 'refused', 'duplicated', 'reordered', 'unknown'] as const;
  const tally = Object.fromEntries(counts.map((name) => [name, sum((each) => each.tally[name])])) as Pick<
    Tally,
    (typeof counts)[number]
  >;
  const liveAgainMs: Partial<globalThis.Record<Kind, number>> = {};
  for (const [kind, ms] of rounds.flatMap((each) => each.liveAgainMs)) {
    liveAgainMs[kind] = Math.round(Math.max(ms, liveAgainMs[kind] ?? 0));
  }
  return {
    tally: { ...tally, gapMs: most((each) => each.tally.gapMs), delayMs: most((each) => each.tally.delayMs) },
    ...{
      closes: record.closes,
      errors: Object.fromEntries(record.errors),
      moves: record.moves,
      gaps: sum((each) => each.gaps),
    },
    ...{ strikes: stage.strikes, skipped: stage.skipped, liveAgainMs, ...facts },
    unannounced: rounds.flatMap((each) => each.unannounced),
    faults: rounds.flatMap(({ findings }) => findings),
    late: sum((each) => each.late),
    refused: record.refused,
    dead: sum((each) => each.dead),
    unsettled: rounds.flatMap((each) => each.unsettled),
    messagesPerSecond: tally.sent / Math.max(durationMs / 1000, sum((each) => each.sendingMs) / 1000),
  };
}
