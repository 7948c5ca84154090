/** Where Holdfast's CPU time goes: the functions with the most time of their own while it carries a load. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep } from '../../test/experiment/clock.ts';
import { clockMicros } from '../load/clock.ts';
import type { Outcome, Solo } from '../part.ts';
import { holdfastWith } from '../proxies/holdfast.ts';
import { openStage, openUsers, type Stage, settle, tellPods } from '../stage.ts';
import { byOwner, type CpuProfile, type SelfTime, selfTimes } from './self-times.ts';

const INTERVAL_US = 500;
const SHOWN_MAX = 25;
const PUSH_RATE = 20_000;
const FRAMES_PER_WRITE = 16;

const LOADS: Readonly<Record<string, (stage: Stage, users: number) => Promise<unknown>>> = {
  [`push ${PUSH_RATE}/s`]: (stage, users) => tellPods(stage, 'push', { perUserPerSecond: PUSH_RATE / users }),
  echo: ({ clients }) => clients.ask('echo', { perSecond: null }),
  flood: (stage) => tellPods(stage, 'flood', { framesPerWrite: FRAMES_PER_WRITE }),
};

export const profile: Solo = {
  name: 'profile',
  description: 'where the CPU time of Holdfast goes under push, echo and flood: shares by function, idle time left out',
  run: async ({ sizes, proxyCore }) => {
    const outcomes: Record<string, Outcome> = {};
    for (const [name, begin] of Object.entries(LOADS)) {
      const times = await profiled(proxyCore, async (stage) => {
        await openUsers(stage, sizes.users);
        await begin(stage, sizes.users);
        await sleep(sizes.warmMs);
        const from = clockMicros();
        await sleep(sizes.measureMs);
        const to = clockMicros();
        await settle(stage);
        return { from, to };
      });
      outcomes[`${name}, %`] = figuresOf(byOwner(times));
      outcomes[`${name}, % by function`] = figuresOf(times.slice(0, SHOWN_MAX));
    }
    return outcomes;
  },
};

async function profiled(
  core: string | undefined,
  work: (stage: Stage) => Promise<{ readonly from: number; readonly to: number }>,
): Promise<SelfTime[]> {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-profile-'));
  try {
    const nodeFlags = ['--cpu-prof', `--cpu-prof-dir=${folder}`, `--cpu-prof-interval=${INTERVAL_US}`];
    const stage = await openStage(holdfastWith({ nodeFlags }), core);
    // The profile is written when the proxy has ended.
    const span = await work(stage).finally(() => stage.close());
    const [file = ''] = readdirSync(folder);
    return selfTimes(JSON.parse(readFileSync(join(folder, file), 'utf8')) as CpuProfile, span);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function figuresOf(times: readonly SelfTime[]): Outcome {
  return { figures: Object.fromEntries(times.map(({ name, percent }) => [name, percent])) };
}
