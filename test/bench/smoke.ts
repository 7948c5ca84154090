/** A bench so small that only its judgement counts. */
import { isFaultless } from '../../bench/load/lane.ts';
import type { Comparison, Context, Outcome } from '../../bench/part.ts';
import { comparisons } from '../../bench/parts/index.ts';
import type { ProxyKind } from '../../bench/proxies/index.ts';
import { openStage, openUsers } from '../../bench/stage.ts';

const USERS = 12;

export const SMALL: Context = {
  sizes: { warmMs: 50, measureMs: 150, restMs: 10, users: USERS, idle: 20, sessions: 20, stormSessions: 20 },
  proxyCore: undefined,
};

/** Every part that compares proxies, with this one: those that share a stage, and those that want their own. */
export async function smoke(start: ProxyKind['start']): Promise<Map<string, Outcome>> {
  const [shared, fresh] = [comparisons.filter(isShared), comparisons.filter((part) => !isShared(part))];
  return new Map([...(await onOneStage(start, shared)), ...(await onOneStage(start, fresh))]);
}

/** The outcomes by the name of the part. */
export async function onOneStage(
  start: ProxyKind['start'],
  parts: readonly Comparison[],
): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>();
  const stage = await openStage(start, undefined);
  try {
    if (parts.every(isShared)) await openUsers(stage, USERS);
    for (const part of parts) outcomes.set(part.name, await part.run(stage, SMALL));
  } finally {
    await stage.close();
  }
  return outcomes;
}

function isShared({ stage }: Comparison): boolean {
  return stage === 'shared';
}

/** Parts in which a message was lost, doubled, swapped or invented. */
export function wrong(outcomes: ReadonlyMap<string, Outcome>): string[] {
  return [...outcomes]
    .filter(([, { faults }]) => faults === undefined || !isFaultless(faults))
    .map(([name, { faults }]) => `${name}: ${JSON.stringify(faults)}`);
}
