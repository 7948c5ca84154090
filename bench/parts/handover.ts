/** One of two pods is drained: how fast its sessions move, and what their users notice. */

import type { Figures, Outcome, Sizes, Solo } from '../part.ts';
import type { RunningHoldfast } from '../proxies/holdfast.ts';
import { openUsers, type Stage, settle, tellPods } from '../stage.ts';
import { quantileOf } from '../statistics.ts';
import { between, usageOf } from '../usage.ts';
import { atRest, onStage } from './holdfast-stage.ts';
import { FIGURE } from './load-outcome.ts';

/** Past what any machine moves, so that the pace is the proxy's own. So many at one time at a pod as by default. */
const UNPACED = ['--handover-per-second', '100000'];
/** Producers of the bench follow no ring, so nothing is waited for. */
const DRAIN = ['--handover-drain-max', '500ms'];
/** Of each user, in the paced run. */
const ECHOES_PER_SECOND = 2;

export const handover: Solo = {
  name: 'handover',
  description: 'one of two pods is drained: sessions a second, and the gap at their users',
  run: async ({ sizes, proxyCore }) => {
    const perSecond = ECHOES_PER_SECOND * sizes.sessions;
    const on = (flags: readonly string[], work: (stage: Stage<RunningHoldfast>) => Promise<Outcome>) =>
      onStage({ flags: [...DRAIN, ...flags] }, proxyCore, work);
    return {
      'at 500/s, with echoes': await on([], (stage) => drainOne(stage, sizes, perSecond)),
      'at 500/s, with numbered echoes': await on([], (stage) => drainNumbered(stage, sizes, perSecond)),
      unpaced: await on(UNPACED, (stage) => drainOne(stage, sizes, undefined)),
    };
  },
};

/** Pods greet who subscribes, so it is known when each session is there. */
async function drainOne(
  stage: Stage<RunningHoldfast>,
  sizes: Sizes,
  echoesPerSecond: number | undefined,
): Promise<Outcome> {
  const { clients, proxy } = stage;
  const moving = await ready(stage, sizes);
  await tellPods(stage, 'greet', null);
  if (echoesPerSecond !== undefined) await clients.ask('echo', { perSecond: echoesPerSecond });
  await atRest(stage, sizes);
  await clients.ask('mark', { timedEvery: 1 });
  const before = usageOf(proxy.pid);
  proxy.list(['serving', 'draining']);
  const { atMs } = await clients.ask('firsts', { kind: 'hello', count: moving });
  const usage = between(before, usageOf(proxy.pid));
  const noticed = await noticedBy(stage, moving, echoesPerSecond !== undefined);
  const cpu = echoesPerSecond === undefined ? { 'CPU ms/handover': usage.cpuMs / moving } : {};
  const waited = { 'core waited for %': (100 * usage.waitMs) / (Math.max(...atMs) - Math.min(...atMs)) };
  const figures = { 'sessions moved': moving, 'sessions/s': perSecond(atMs), ...noticed, ...cpu, ...waited };
  return { figures, faults: await settle(stage) };
}

/** Nothing but echoes, which are numbered as producers number theirs: no silence has to be waited for to know that none is missing. */
async function drainNumbered(stage: Stage<RunningHoldfast>, sizes: Sizes, echoesPerSecond: number): Promise<Outcome> {
  const { clients, proxy } = stage;
  const moving = await ready(stage, sizes);
  await tellPods(stage, 'sequence', null);
  await clients.ask('echo', { perSecond: echoesPerSecond });
  await atRest(stage, sizes);
  await clients.ask('mark', { timedEvery: 1 });
  proxy.list(['serving', 'draining']);
  const figures = { 'sessions moved': moving, ...(await noticedBy(stage, moving, true)) };
  return { figures, faults: await settle(stage) };
}

/** @returns how many sessions will move */
async function ready(stage: Stage<RunningHoldfast>, sizes: Sizes): Promise<number> {
  await openUsers(stage, sizes.sessions);
  await stage.clients.ask('subscribe', { notices: true });
  return (await stage.proxy.metrics()).get('holdfast_sessions{pod="pod-2"}') ?? 0;
}

/** What users have noticed when all of them have been told of their move. */
async function noticedBy(
  { clients, proxy }: Stage<RunningHoldfast>,
  moving: number,
  hasEchoes: boolean,
): Promise<Figures> {
  const { gapMs } = await clients.ask('firsts', { kind: 'notice', count: moving });
  const { latency } = await clients.ask('mark', { timedEvery: 1 });
  const echoes = { 'echo p50 ms': latency.p50, 'echo p99 ms': latency.p99, 'echo p999 ms': latency.p999 };
  return {
    'gap p50 ms': quantileOf(gapMs, 0.5),
    'gap p99 ms': quantileOf(gapMs, 0.99),
    [FIGURE.loopDelay]: await proxy.loopDelayMs(),
    ...(hasEchoes ? echoes : {}),
  };
}

/** From the first to the last, as when the proxy hears of the pod is not its own affair. */
function perSecond(atMs: readonly number[]): number {
  return ((atMs.length - 1) * 1000) / Math.max(1, Math.max(...atMs) - Math.min(...atMs));
}
