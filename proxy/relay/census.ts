/**
 * What is known by looking at each session only: where they are, in which state their links are, who is not read. Some hundred of them in a
 * turn of the event loop: a hundred thousand at once would hold up every message for a tenth of a second, each time that Prometheus asks.
 */
import type { Pod } from '../discovery/index.ts';

export interface Census {
  /** Sessions by the name of their pod; under '' those that have none right now. */
  readonly byPod: ReadonlyMap<string, number>;
  readonly links: Iterable<{ readonly pod: string; readonly state: string; readonly count: number }>;
  /** Sockets that are not read now, by side. */
  readonly paused: { readonly client: number; readonly link: number };
}

/** What is asked of a session. */
export interface Counted {
  links(): Iterable<{ readonly pod: Pod; readonly state: string }>;
  readonly paused: { readonly client: number; readonly link: number };
}

/** About a millisecond. */
export const SESSIONS_PER_TURN = 500;

/** @param sessions may change meanwhile: one that comes or goes is counted or not */
export async function takeCensus(
  sessions: Iterable<readonly [id: number, session: Counted]>,
  podOf: (id: number) => Pod | undefined,
): Promise<Census> {
  const byPod = new Map<string, number>();
  const links = new Map<string, { readonly pod: string; readonly state: string; count: number }>();
  const paused = { client: 0, link: 0 };
  let seen = 0;
  for (const [id, session] of sessions) {
    const name = podOf(id)?.name ?? '';
    byPod.set(name, (byPod.get(name) ?? 0) + 1);
    for (const { pod, state } of session.links()) {
      const key = `${state} ${pod.name}`;
      const entry = links.get(key) ?? { pod: pod.name, state, count: 0 };
      entry.count += 1;
      links.set(key, entry);
    }
    const { client, link } = session.paused;
    paused.client += client;
    paused.link += link;
    seen += 1;
    if (seen % SESSIONS_PER_TURN === 0) await new Promise(setImmediate);
  }
  return { byPod, links: links.values(), paused };
}
