/** What it costs to have a session, and to come to one. */
import { sleep } from '../../test/experiment/clock.ts';
import { isFaultless } from '../load/lane.ts';
import type { Comparison, Outcome, Sizes } from '../part.ts';
import { openUsers, type Stage, settle, tellPods } from '../stage.ts';
import { between, type Usage, usageOf } from '../usage.ts';
import { FIGURE } from './load-outcome.ts';

/** Before memory is looked at the proxy works for some users, so that it is not its own growth that is measured. */
const WARM_USERS = 100;
const WARM_RATE = 20_000;
/** Users that connect at a time. */
const CONCURRENCY = 32;

const US_PER_MS = 1000;
const BYTES_PER_KIB = 1024;

export const sessions: Comparison = {
  name: 'sessions',
  description: 'idle sessions after STOMP CONNECT: memory of each, and CPU time to connect one more of them',
  stage: 'fresh',
  run: async (stage, { sizes }) => {
    await warm(stage, sizes);
    const used = (): Usage | undefined => (stage.proxy.pid === undefined ? undefined : usageOf(stage.proxy.pid));
    const before = used();
    await connect(stage, sizes.idle);
    await sleep(sizes.restMs);
    const idle = used();
    await stage.clients.ask('close', null);
    await sleep(sizes.restMs);
    const closed = used();
    const took = await connect(stage, sizes.idle);
    const connected = used();
    const faults = await oneForEach(stage);
    return {
      ...outcomeOf(sizes.idle, took, before && idle && closed && connected && { before, idle, closed, connected }),
      faults,
      notes: isFaultless(faults) ? [] : ['not every session was one'],
    };
  },
};

interface Looks {
  readonly before: Usage;
  readonly idle: Usage;
  readonly closed: Usage;
  readonly connected: Usage;
}

function outcomeOf(count: number, took: { p50: number; p99: number }, looks: Looks | undefined): Outcome {
  const figures = { [FIGURE.p50]: took.p50, [FIGURE.p99]: took.p99 };
  if (looks === undefined) return { figures };
  const { before, idle, closed, connected } = looks;
  return {
    figures: {
      [FIGURE.rss]: (idle.rssBytes - before.rssBytes) / count / BYTES_PER_KIB,
      [FIGURE.connect]: (between(closed, connected).cpuMs * US_PER_MS) / count,
      'CPU µs/connect, the first ones': (between(before, idle).cpuMs * US_PER_MS) / count,
      ...figures,
    },
  };
}

async function warm(stage: Stage, { warmMs, restMs }: Sizes): Promise<void> {
  await openUsers(stage, WARM_USERS);
  await tellPods(stage, 'push', { perUserPerSecond: WARM_RATE / WARM_USERS, framesPerWrite: 1 });
  await sleep(warmMs);
  await settle(stage);
  await stage.clients.ask('close', null);
  await sleep(restMs);
}

/** To CONNECTED, with no subscription. */
async function connect({ clients, proxy: { addresses } }: Stage, count: number) {
  const users = Array.from({ length: count }, (_, index) => index);
  const { took } = await clients.ask('open', { addresses, users, concurrency: CONCURRENCY });
  return took;
}

/** A proxy that had no session for a user would be cheap. */
async function oneForEach(stage: Stage) {
  await stage.clients.ask('subscribe', { notices: false });
  await tellPods(stage, 'each', null);
  return settle(stage);
}
