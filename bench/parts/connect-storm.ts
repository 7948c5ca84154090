/** All users come at once, as after a restart of whatever they came through before. */
import type { Outcome, Sizes, Solo } from '../part.ts';
import type { RunningHoldfast } from '../proxies/holdfast.ts';
import { type Stage, settle, tellPods } from '../stage.ts';
import { between, usageOf } from '../usage.ts';
import { atRest, onStage } from './holdfast-stage.ts';
import { FIGURE } from './load-outcome.ts';

export const connectStorm: Solo = {
  name: 'connect-storm',
  description: 'all users connect at once: time until all are CONNECTED, and of each',
  run: async ({ sizes, proxyCore }) => ({
    [`${sizes.sessions} users`]: await onStage({}, proxyCore, (stage) => allAtOnce(stage, sizes)),
  }),
};

async function allAtOnce(stage: Stage<RunningHoldfast>, sizes: Sizes): Promise<Outcome> {
  const { sessions: count } = sizes;
  const { clients, proxy } = stage;
  const users = Array.from({ length: count }, (_, index) => index);
  await atRest(stage, sizes);
  const before = usageOf(proxy.pid);
  const { ms, took } = await clients.ask('open', { addresses: proxy.addresses, users, concurrency: count });
  const usage = between(before, usageOf(proxy.pid));
  const delay = await stage.proxy.loopDelayMs();
  await clients.ask('subscribe', { notices: false });
  await tellPods(stage, 'each', null);
  return {
    figures: {
      'all CONNECTED after ms': ms,
      'users/s': (1000 * count) / ms,
      'p50 ms': took.p50,
      'p99 ms': took.p99,
      'CPU µs/connect': (usage.cpuMs * 1000) / count,
      [FIGURE.loopDelay]: delay,
      'core waited for %': (100 * usage.waitMs) / ms,
    },
    faults: await settle(stage),
  };
}
