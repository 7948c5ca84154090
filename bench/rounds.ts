/** Rounds over all proxies: each part is done with one proxy after the other, so that what the machine does meets all of them. */
import { sleep } from '../test/experiment/clock.ts';
import { calm } from './calm.ts';
import { load } from './machine.ts';
import type { Comparison, Context, Outcome, Solo } from './part.ts';
import { FIGURE } from './parts/index.ts';
import { DIRECT, type ProxyKind } from './proxies/index.ts';
import type { Sample } from './samples.ts';
import { openStage, openUsers, type Stage, settle, tellPods } from './stage.ts';

export interface Rounds {
  readonly rounds: number;
  readonly proxies: readonly ProxyKind[];
  readonly comparisons: readonly Comparison[];
  readonly solos: readonly Solo[];
  readonly context: Context;
  /** How long each sample waits for a machine that nobody else uses. */
  readonly patienceMs: number;
  readonly onSample: (sample: Sample) => void;
}

/** What every shared stage carries before it is measured: code is compiled by then. */
const WARM_RATE = 20_000;

/** Every sample, in the order in which they were taken. */
export async function runRounds(what: Rounds): Promise<Sample[]> {
  const samples: Sample[] = [];
  const onSample = (sample: Sample) => {
    samples.push(sample);
    what.onSample(sample);
  };
  for (let round = 1; round <= what.rounds; round++) {
    const turn = { ...what, onSample, proxies: rotated(what.proxies, round - 1) };
    await sharedRound(turn, round);
    await freshRound(turn, round);
    await soloRound(turn, round);
  }
  return samples;
}

/** Nobody is always the first. */
function rotated<T>(items: readonly T[], by: number): T[] {
  const at = by % Math.max(1, items.length);
  return [...items.slice(at), ...items.slice(0, at)];
}

async function sharedRound(what: Rounds, round: number): Promise<void> {
  const comparisons = what.comparisons.filter(({ stage }) => stage === 'shared');
  if (comparisons.length === 0) return;
  const stages = new Map<string, Stage | Error>();
  try {
    for (const proxy of what.proxies) stages.set(proxy.name, await populated(proxy, what.context).catch(asError));
    for (const comparison of comparisons) {
      const samples: Sample[] = [];
      for (const [subject, stage] of stages) {
        const run = async () => {
          if (stage instanceof Error) throw stage;
          return comparison.run(stage, what.context);
        };
        samples.push(await sampleOf(what, { part: comparison.name, subject, round }, run));
      }
      for (const sample of withAdded(samples)) what.onSample(sample);
    }
  } finally {
    await Promise.all(Array.from(stages.values(), (stage) => (stage instanceof Error ? undefined : stage.close())));
  }
}

async function populated(proxy: ProxyKind, { sizes, proxyCore }: Context): Promise<Stage> {
  const stage = await openStage((setting) => proxy.start(setting), proxyCore);
  try {
    await openUsers(stage, sizes.users);
    await tellPods(stage, 'push', { perUserPerSecond: WARM_RATE / sizes.users, framesPerWrite: 1 });
    await sleep(sizes.warmMs);
    await settle(stage);
    return stage;
  } catch (error) {
    await stage.close();
    throw error;
  }
}

async function freshRound(what: Rounds, round: number): Promise<void> {
  for (const comparison of what.comparisons.filter(({ stage }) => stage === 'fresh')) {
    for (const proxy of what.proxies) {
      const run = async () => {
        const stage = await openStage((setting) => proxy.start(setting), what.context.proxyCore);
        try {
          return await comparison.run(stage, what.context);
        } finally {
          await stage.close();
        }
      };
      what.onSample(await sampleOf(what, { part: comparison.name, subject: proxy.name, round }, run));
    }
  }
}

async function soloRound({ solos, context, patienceMs, onSample }: Rounds, round: number): Promise<void> {
  for (const solo of solos) {
    await calm(patienceMs);
    const loadBefore = load();
    const outcomes = await solo.run(context).catch((error: unknown) => ({ '': failure(error) }));
    for (const [subject, outcome] of Object.entries(outcomes)) {
      onSample({ part: solo.name, subject, round, load: loadBefore, ...outcome });
    }
  }
}

async function sampleOf(
  { patienceMs }: Rounds,
  what: Pick<Sample, 'part' | 'subject' | 'round'>,
  run: () => Promise<Outcome>,
): Promise<Sample> {
  await calm(patienceMs);
  const loadBefore = load();
  return { ...what, load: loadBefore, ...(await run().catch(failure)) };
}

function failure(error: unknown): Outcome & { failed: string } {
  return { figures: {}, failed: asError(error).message };
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

/** What a proxy adds to the way without one, in the same round. */
function withAdded(samples: readonly Sample[]): Sample[] {
  const base = samples.find(({ subject }) => subject === DIRECT)?.figures[FIGURE.p50];
  return samples.map((sample) => {
    const p50 = sample.figures[FIGURE.p50];
    if (base === undefined || p50 === undefined || sample.subject === DIRECT) return sample;
    return { ...sample, figures: { ...sample.figures, [FIGURE.added]: p50 - base } };
  });
}
