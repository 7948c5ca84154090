/**
 * The SockJS session id of each link. It stays the same from pod to pod: Spring takes it as the id of its own session, and names
 * the user's queues at the broker by it, so what other pods still believe of the session goes on being true.
 *
 * Never twice at one pod at a time: when the old connection ends there, Spring ends the session that the new one uses. An old
 * connection that ended without a closing handshake may end later at the pod than here, so its id is not used there again.
 */
import { randomUUID } from 'node:crypto';
import type { Pod } from '../discovery/index.ts';
import type { UpgradeTarget } from '../relay/ports.ts';

export interface SessionId {
  readonly id: string;
  /** Whether it is the id of the client's session, and not one for this link alone. */
  readonly isStable: boolean;
  /** The link has ended. @param isClean after a closing handshake */
  release(isClean: boolean): void;
}

export class SessionIds {
  /** The ids of pods at which the id of a session is in use. One target is one client's session, and goes with it. */
  readonly #usedAt = new WeakMap<UpgradeTarget, Set<string>>();

  take(pod: Pod, target: UpgradeTarget): SessionId {
    const used = this.#usedAt.get(target) ?? new Set();
    this.#usedAt.set(target, used);
    if (used.has(pod.id)) return { id: randomUUID(), isStable: false, release: () => {} };
    used.add(pod.id);
    const release = (isClean: boolean) => {
      if (isClean) used.delete(pod.id);
    };
    return { id: target.id, isStable: true, release };
  }
}

/** The server id is for load balancers; there is none between us and a pod. */
const SERVER_ID = '000';

/** @param target path and query of a raw WebSocket, at Spring that of the SockJS endpoint and `/websocket` */
export function sockJsTarget(target: string, id: string): string {
  const [, path = '', query = ''] = /^([^?]*)(\?.*)?$/s.exec(target) ?? [];
  return `${path.replace(/\/websocket\/?$|\/$/, '')}/${SERVER_ID}/${id}/websocket${query}`;
}
