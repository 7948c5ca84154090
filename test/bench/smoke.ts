/** A bench so small that only its judgement counts. */
import { isFaultless } from '../../bench/load/lane.ts';
import type { Context, Outcome } from '../../bench/part.ts';
import { comparisons } from '../../bench/parts/index.ts';
import type { ProxyKind } from '../../bench/proxies/index.ts';
import { openStage, openUsers } from '../../bench/stage.ts';

const USERS = 12;

const SMALL: Context = {
  sizes: { warmMs: 50, measureMs: 150, users: USERS, sessions: 20, stormSessions: 20 },
  proxyCore: undefined,
};

/** Every part that compares proxies, with this one. */
export async function smoke(start: ProxyKind['start']): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  for (const part of comparisons) {
    const stage = await openStage(start, undefined);
    try {
      if (part.stage === 'shared') await openUsers(stage, USERS);
      outcomes.set(part.name, await part.run(stage, SMALL));
    } finally {
      await stage.close();
    }
  }
  return outcomes;
}

/** Parts in which a message was lost, doubled, swapped or invented. */
export function wrong(outcomes: ReadonlyMap<string, Outcome>): string[] {
  return [...outcomes]
    .filter(([, { faults }]) => faults === undefined || !isFaultless(faults))
    .map(([name, { faults }]) => `${name}: ${JSON.stringify(faults)}`);
}
