/** What a message costs that a producer posts to the gateway, beside a proxy that passes on the same requests and knows no users. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sleep } from '../../test/experiment/clock.ts';
import type { DoorCalls } from '../load/door.ts';
import type { ProducersCalls } from '../load/producers.ts';
import { Remote } from '../load/remote.ts';
import type { Context, Outcome, Solo } from '../part.ts';
import { holdfastWith } from '../proxies/holdfast.ts';
import { nginx } from '../proxies/nginx.ts';
import type { ProxySetting, RunningProxy } from '../proxies/proxy.ts';
import { between, pin, usageOf } from '../usage.ts';
import { FIGURE } from './load-outcome.ts';

const PODS = 2;
/** Messages under way. */
const PRODUCERS = [4, 32, 256];
const US_PER_MS = 1000;

export const post: Solo = {
  name: 'post',
  description: 'producers post 100 B to the gateway, pods answer at once; nginx passes the same on to any pod',
  run: async (context) => {
    const outcomes: Record<string, Outcome> = {};
    for (const producers of PRODUCERS) {
      const name = `${producers} at a time`;
      if (nginx.version() !== undefined) outcomes[`nginx, ${name}`] = await measured(viaNginx, producers, context);
      outcomes[`the gateway, ${name}`] = await measured(viaGateway, producers, context);
    }
    return outcomes;
  },
};

/** A proxy, and where it takes messages. */
interface Way {
  readonly proxy: RunningProxy & { readonly pid: number };
  readonly address: string;
  readonly path: string;
}

async function viaNginx(setting: ProxySetting): Promise<Way> {
  const proxy = await nginx.start(setting);
  const [address = ''] = proxy.addresses;
  return { proxy: { ...proxy, pid: proxy.pid ?? 0 }, address, path: '/users/{user}/messages?destination=%2Fqueue%2Fa' };
}

async function viaGateway(setting: ProxySetting): Promise<Way> {
  const proxy = await holdfastWith({})(setting);
  return { proxy, address: proxy.adminAddress, path: '/v1/users/{user}/messages?destination=/queue/a' };
}

async function measured(
  start: (setting: ProxySetting) => Promise<Way>,
  producers: number,
  context: Context,
): Promise<Outcome> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-bench-'));
  const doors = Array.from({ length: PODS }, () => new Remote<DoorCalls>('a pod with a door', 'door-main.ts'));
  const load = new Remote<ProducersCalls>('the producers', 'producers-main.ts');
  try {
    const way = await start({ pods: await Promise.all(doors.map((door) => door.ask('listen', null))), directory });
    try {
      return await posted(way, { load, doors, producers }, context);
    } finally {
      await way.proxy.stop();
    }
  } finally {
    await Promise.all([load, ...doors].map((remote) => remote.kill()));
    rmSync(directory, { recursive: true });
  }
}

interface Load {
  readonly load: Remote<ProducersCalls>;
  readonly doors: readonly Remote<DoorCalls>[];
  readonly producers: number;
}

async function posted(
  { proxy, address, path }: Way,
  { load, doors, producers }: Load,
  { sizes, proxyCore }: Context,
): Promise<Outcome> {
  if (proxyCore !== undefined) pin(proxy.pid, proxyCore);
  await load.ask('start', { address, path, producers });
  await sleep(sizes.warmMs);
  await load.ask('mark', null);
  const before = usageOf(proxy.pid);
  await sleep(sizes.measureMs);
  const { ms, taken } = await load.ask('mark', null);
  const { cpuMs } = between(before, usageOf(proxy.pid));
  const all = await load.ask('stop', null);
  const came = (await Promise.all(doors.map((door) => door.ask('count', null)))).reduce((sum, count) => sum + count);
  const figures = { [FIGURE.cpu]: (cpuMs * US_PER_MS) / taken, 'messages/s': (1000 * taken) / ms };
  if (all.refused === 0 && came === all.taken) return { figures };
  return { figures: {}, notes: [`${all.taken} messages taken, ${all.refused} refused, ${came} came to pods`] };
}
