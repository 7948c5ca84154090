/**
 * Where each user of the proxy is, as the workers have told: what the gateway, which is in the primary, goes by. One entry for each
 * user with a session, so limits.sessions bounds it.
 *
 * A user is in one worker, but for SockJS over HTTP, whose sessions are where their id says (listeners/homes.ts). Then a message waits
 * while one of the workers knows of a move, and goes where one of them says.
 */
import type { Whereabouts } from '../relay/switchboard.ts';

interface Entry {
  readonly key: string | undefined;
  readonly settledAtMs: number;
}

export class Directory {
  readonly #byWorker = new Map<number, Map<string, Entry>>();

  note(worker: number, users: Iterable<readonly [string, Whereabouts | undefined]>, now: number): void {
    const entries = this.#byWorker.get(worker) ?? new Map<string, Entry>();
    this.#byWorker.set(worker, entries);
    for (const [user, where] of users) {
      if (where === undefined) entries.delete(user);
      else entries.set(user, { key: where.key, settledAtMs: now + where.settlesInMs });
    }
  }

  /** A worker is gone, and its sessions with it. */
  forget(worker: number): void {
    this.#byWorker.delete(worker);
  }

  /** See Switchboard. */
  keyOf(user: string): string | undefined {
    for (const entries of this.#byWorker.values()) {
      const key = entries.get(user)?.key;
      if (key !== undefined) return key;
    }
    return undefined;
  }

  /** See Switchboard. */
  isMoving(user: string, now: number): boolean {
    for (const entries of this.#byWorker.values()) {
      const entry = entries.get(user);
      if (entry !== undefined && (entry.key === undefined || now < entry.settledAtMs)) return true;
    }
    return false;
  }
}
