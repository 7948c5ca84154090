/** When every session is where it belongs: at the pod that the ring over the ready pods gives for its user. */

import { Ring } from '../../ring/index.ts';
import { sleep } from '../experiment/clock.ts';
import type { ProxyProcess } from '../experiment/proxy.ts';

/** Noticing that a watch is silent takes 90 s. */
export const HOME_MAX_MS = 150_000;
const POLL_MS = 50;

/**
 * Resolves with the time that it took; rejects after HOME_MAX_MS and says how it is instead.
 *
 * @param pods that are ready, by the API server
 */
export async function untilHome(
  proxy: ProxyProcess,
  users: readonly string[],
  pods: readonly string[],
): Promise<number> {
  const ring = Ring.of(pods);
  const wanted = countsText(Object.groupBy(users, (user) => ring.owner(user) ?? ''));
  const startMs = Date.now();
  for (;;) {
    const is = await stateOf(proxy, ring.version);
    const ms = Date.now() - startMs;
    if (is === wanted) return ms;
    if (ms > HOME_MAX_MS) throw new Error(`sessions are not at their owners after ${ms} ms: ${is}, not ${wanted}`);
    await sleep(POLL_MS);
  }
}

/** Sessions by pod once the proxy has committed this ring; until then, which one it has. */
async function stateOf({ adminUrl }: ProxyProcess, version: string): Promise<string> {
  const ring = (await (await fetch(`${adminUrl}/v1/ring`)).json()) as { version: string; pods: { name: string }[] };
  if (ring.version !== version) return `the ring of ${ring.pods.map(({ name }) => name).join(', ')}`;
  const { byPod } = (await (await fetch(`${adminUrl}/v1/sessions`)).json()) as { byPod: Record<string, number> };
  return textOf(byPod);
}

function countsText(byPod: Partial<Record<string, readonly string[]>>): string {
  return textOf(Object.fromEntries(Object.entries(byPod).map(([pod, users]) => [pod, users?.length ?? 0])));
}

function textOf(counts: Readonly<Record<string, number>>): string {
  const some = Object.entries(counts).filter(([, count]) => count > 0);
  return some
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([pod, count]) => `${pod} ${count}`)
    .join(', ');
}
