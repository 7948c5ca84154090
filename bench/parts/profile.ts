/** Where Holdfast's CPU time goes: the functions with the most time of their own while it carries a load. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep } from '../../test/experiment/clock.ts';
import { clockMicros } from '../load/clock.ts';
import type { Outcome, Sizes, Solo } from '../part.ts';
import { holdfastWith, type RunningHoldfast } from '../proxies/holdfast.ts';
import { openStage, openUsers, type Stage, settle, tellPods } from '../stage.ts';
import { callTree } from './call-tree.ts';
import type { CpuProfile, ProfileSpan } from './cpu-profile.ts';
import { FLOOD_FRAMES_PER_WRITE, FLOOD_RATE } from './flood.ts';
import { byOwner, type SelfTime, selfTimes } from './self-times.ts';

const INTERVAL_US = 500;
const SHOWN_MAX = 25;
const PUSH_RATE = 20_000;

type HoldfastStage = Stage<RunningHoldfast>;

interface Load {
  readonly users: (sizes: Sizes) => number;
  /** It goes on evenly: what comes first is only to warm up. */
  readonly isSteady: boolean;
  readonly begin: (stage: HoldfastStage, users: number) => Promise<unknown>;
}

const steady = (begin: Load['begin']): Load => ({ users: ({ users }) => users, isSteady: true, begin });

const LOADS: Readonly<Record<string, Load>> = {
  [`push ${PUSH_RATE}/s`]: steady((stage, users) =>
    tellPods(stage, 'push', { perUserPerSecond: PUSH_RATE / users, framesPerWrite: 1 }),
  ),
  echo: steady(({ clients }) => clients.ask('echo', { perSecond: null })),
  flood: steady((stage, users) =>
    tellPods(stage, 'push', { perUserPerSecond: FLOOD_RATE / users, framesPerWrite: FLOOD_FRAMES_PER_WRITE }),
  ),
  handover: {
    users: ({ sessions }) => sessions,
    isSteady: false,
    begin: async ({ proxy }) => proxy.list(['serving', 'draining']),
  },
  storm: { users: ({ sessions }) => sessions, isSteady: false, begin: async ({ backends }) => backends[1]?.kill() },
};

export const profile: Solo = {
  name: 'profile',
  description:
    'where the CPU time of Holdfast goes under push, echo, flood, handovers and after the death of a pod, idle time left out',
  run: async ({ sizes, proxyCore }) => {
    const outcomes: Record<string, Outcome> = {};
    for (const [name, load] of Object.entries(LOADS)) {
      const { profile: written, span } = await profiled(proxyCore, (stage) => carry(stage, load, sizes));
      const times = selfTimes(written, span);
      outcomes[`${name}, %`] = { ...figuresOf(byOwner(times)), calls: callTree(written, span) };
      outcomes[`${name}, % by function`] = figuresOf(times.slice(0, SHOWN_MAX));
    }
    return outcomes;
  },
};

async function carry(stage: HoldfastStage, { users, isSteady, begin }: Load, sizes: Sizes): Promise<ProfileSpan> {
  const count = users(sizes);
  await openUsers(stage, count);
  const from = clockMicros();
  await begin(stage, count);
  if (isSteady) await sleep(sizes.warmMs);
  const warm = clockMicros();
  await sleep(sizes.measureMs);
  const to = clockMicros();
  if (isSteady) await settle(stage);
  return { from: isSteady ? warm : from, to };
}

async function profiled(
  core: string | undefined,
  work: (stage: HoldfastStage) => Promise<ProfileSpan>,
): Promise<{ readonly profile: CpuProfile; readonly span: ProfileSpan }> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-profile-'));
  try {
    const nodeFlags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${INTERVAL_US}`];
    const stage = await openStage(holdfastWith({ nodeFlags }), core);
    // The profile is written when the proxy has ended.
    const span = await work(stage).finally(() => stage.close());
    const [file = ''] = readdirSync(folder);
    return { profile: JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile, span };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function figuresOf(times: readonly SelfTime[]): Outcome {
  return { figures: Object.fromEntries(times.map(({ name, percent }) => [name, percent])) };
}
