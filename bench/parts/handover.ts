/** One of two pods is drained: how fast its sessions move, and what their users notice. */

import type { Outcome, Sizes, Solo } from '../part.ts';
import type { RunningHoldfast } from '../proxies/holdfast.ts';
import { openUsers, type Stage, settle, tellPods } from '../stage.ts';
import { quantileOf } from '../statistics.ts';
import { between, usageOf } from '../usage.ts';
import { atRest, onStage } from './holdfast-stage.ts';
import { FIGURE } from './load-outcome.ts';

/** Past what any machine moves, so that the pace is the proxy's own. */
const UNPACED = ['--handover-per-second', '100000', '--handover-in-flight-per-pod', '1000'];
/** Producers of the bench follow no ring, so nothing is waited for. */
const DRAIN = ['--handover-drain-max', '500ms'];
/** Of each user, in the paced run. */
const ECHOES_PER_SECOND = 2;

export const handover: Solo = {
  name: 'handover',
  description: 'one of two pods is drained: sessions a second, and the gap at their users',
  run: async ({ sizes, proxyCore }) => ({
    'at 500/s, with echoes': await onStage({ flags: DRAIN }, proxyCore, (stage) =>
      drainOne(stage, sizes, ECHOES_PER_SECOND * sizes.sessions),
    ),
    unpaced: await onStage({ flags: [...DRAIN, ...UNPACED] }, proxyCore, (stage) => drainOne(stage, sizes, undefined)),
  }),
};

async function drainOne(
  stage: Stage<RunningHoldfast>,
  sizes: Sizes,
  echoesPerSecond: number | undefined,
): Promise<Outcome> {
  const { clients, proxy } = stage;
  await openUsers(stage, sizes.sessions);
  await clients.ask('subscribe', { notices: true });
  const moving = (await proxy.metrics()).get('holdfast_sessions{pod="pod-2"}') ?? 0;
  await tellPods(stage, 'greet', null);
  if (echoesPerSecond !== undefined) await clients.ask('echo', { perSecond: echoesPerSecond });
  await atRest(stage, sizes);
  await clients.ask('mark', { timedEvery: 1 });
  const before = usageOf(proxy.pid);
  proxy.list(['serving', 'draining']);
  const { atMs } = await clients.ask('firsts', { kind: 'hello', count: moving });
  const usage = between(before, usageOf(proxy.pid));
  const { gapMs } = await clients.ask('firsts', { kind: 'notice', count: moving });
  const { latency } = await clients.ask('mark', { timedEvery: 1 });
  const delay = await stage.proxy.loopDelayMs();
  const faults = await settle(stage);
  const echoes = { 'echo p50 ms': latency.p50, 'echo p99 ms': latency.p99, 'echo p999 ms': latency.p999 };
  return {
    figures: {
      'sessions moved': moving,
      'sessions/s': perSecond(atMs),
      'gap p50 ms': quantileOf(gapMs, 0.5),
      'gap p99 ms': quantileOf(gapMs, 0.99),
      [FIGURE.loopDelay]: delay,
      ...(echoesPerSecond === undefined ? { 'CPU ms/handover': usage.cpuMs / moving } : echoes),
      'core waited for %': (100 * usage.waitMs) / (Math.max(...atMs) - Math.min(...atMs)),
    },
    faults,
  };
}

/** From the first to the last, as when the proxy hears of the pod is not its own affair. */
function perSecond(atMs: readonly number[]): number {
  return ((atMs.length - 1) * 1000) / Math.max(1, Math.max(...atMs) - Math.min(...atMs));
}
