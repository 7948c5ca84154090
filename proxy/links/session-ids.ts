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

interface Session {
  readonly id: string;
  /** The ids of the pods at which it is in use. */
  readonly usedAt: Set<string>;
}

export class SessionIds {
  readonly #sessions = new WeakMap<UpgradeTarget, Session>();

  take(pod: Pod, target: UpgradeTarget): SessionId {
    const { id, usedAt } = this.#sessionOf(target);
    if (usedAt.has(pod.id)) return { id: randomUUID(), isStable: false, release: () => {} };
    usedAt.add(pod.id);
    const release = (isClean: boolean) => {
      if (isClean) usedAt.delete(pod.id);
    };
    return { id, isStable: true, release };
  }

  #sessionOf(target: UpgradeTarget): Session {
    const session = this.#sessions.get(target) ?? { id: randomUUID(), usedAt: new Set() };
    this.#sessions.set(target, session);
    return session;
  }
}

/** The server id is for load balancers; there is none between us and a pod. */
const SERVER_ID = '000';

/** @param target path and query of a raw WebSocket, at Spring that of the SockJS endpoint and `/websocket` */
export function sockJsTarget(target: string, id: string): string {
  const [, path = '', query = ''] = /^([^?]*)(\?.*)?$/s.exec(target) ?? [];
  return `${path.replace(/\/websocket\/?$|\/$/, '')}/${SERVER_ID}/${id}/websocket${query}`;
}
