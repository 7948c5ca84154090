/** kill -9 of a pod that has most of the sessions: until when are they live again? */
import { Ring } from '../../ring/index.ts';
import { clockMs } from '../load/clock.ts';
import type { Outcome, Sizes, Solo } from '../part.ts';
import type { RunningHoldfast } from '../proxies/holdfast.ts';
import { type Stage, settle, tellPods } from '../stage.ts';
import { quantileOf } from '../statistics.ts';
import { between, usageOf } from '../usage.ts';
import { atRest, onStage } from './holdfast-stage.ts';
import { FIGURE } from './load-outcome.ts';

/** Sessions of the pod that stays, for each of the one that dies. */
const STAYING_SHARE = 0.1;
const CONCURRENCY = 64;

export const storm: Solo = {
  name: 'storm',
  description: 'kill -9 of a pod with most of the sessions: time until all are live again, and the gap of each',
  run: async ({ sizes, proxyCore }) => ({
    [`${sizes.stormSessions} sessions`]: await onStage({}, proxyCore, (stage) => strike(stage, sizes)),
  }),
};

async function strike(stage: Stage<RunningHoldfast>, sizes: Sizes): Promise<Outcome> {
  const { stormSessions: dying } = sizes;
  const { backends, clients, proxy } = stage;
  const users = [...usersOf('pod-2', dying), ...usersOf('pod-1', Math.round(dying * STAYING_SHARE))];
  await clients.ask('open', { addresses: proxy.addresses, users, concurrency: CONCURRENCY });
  await clients.ask('subscribe', { notices: true });
  await tellPods(stage, 'greet', null);
  await clients.ask('mark', { timedEvery: 1 });
  await atRest(stage, sizes);
  const before = usageOf(proxy.pid);
  const killedAtMs = clockMs();
  await backends[1]?.kill();
  const { atMs } = await clients.ask('firsts', { kind: 'hello', count: dying });
  const { gapMs } = await clients.ask('firsts', { kind: 'notice', count: dying });
  const usage = between(before, usageOf(proxy.pid));
  const delay = await stage.proxy.loopDelayMs();
  const live = atMs.map((each) => each - killedAtMs);
  return {
    figures: {
      'all live after ms': Math.max(...live),
      'live again p50 ms': quantileOf(live, 0.5),
      'live again p99 ms': quantileOf(live, 0.99),
      'gap p50 ms': quantileOf(gapMs, 0.5),
      'gap p99 ms': quantileOf(gapMs, 0.99),
      'CPU ms/recovery': usage.cpuMs / dying,
      [FIGURE.loopDelay]: delay,
      'core waited for %': (100 * usage.waitMs) / Math.max(...live),
    },
    faults: await oneForEach({ ...stage, backends: backends.slice(0, 1) }),
  };
}

async function oneForEach(stage: Stage) {
  await tellPods(stage, 'each', null);
  return settle(stage);
}

/** The first users that the ring gives to this pod. */
function usersOf(pod: string, count: number): number[] {
  const ring = Ring.of(['pod-1', 'pod-2']);
  const users: number[] = [];
  for (let user = 0; users.length < count; user++) if (ring.owner(`u${user}`) === pod) users.push(user);
  return users;
}
