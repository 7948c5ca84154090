/**
 * Sessions that wait to go to a pod, by pod: urgent ones before the others, and among equals first come, first served. There is one of these for
 * sessions that have no link, where it is urgent to have had one, and one for moves, where it is urgent to leave a pod that drains or is gone.
 */

/** In place of a pod: whichever shows that it is back. */
export const ANY_POD = '';

interface Queue<Session> {
  readonly urgent: Set<Session>;
  readonly others: Set<Session>;
}

export class Queues<Session> {
  readonly #byPod = new Map<string, Queue<Session>>();
  readonly #places = new Map<Session, { podId: string; isUrgent: boolean }>();

  get size(): number {
    return this.#places.size;
  }

  /** The pods that somebody waits for. */
  podIds(): Iterable<string> {
    return this.#byPod.keys();
  }

  has(session: Session): boolean {
    return this.#places.has(session);
  }

  /** A session waits in one place only; an equal place keeps its turn. */
  put(session: Session, podId: string, isUrgent: boolean): void {
    const place = this.#places.get(session);
    if (place?.podId === podId && place.isUrgent === isUrgent) return;
    this.remove(session);
    this.#places.set(session, { podId, isUrgent });
    const queue = this.#byPod.get(podId) ?? { urgent: new Set(), others: new Set() };
    this.#byPod.set(podId, queue);
    lineOf(queue, isUrgent).add(session);
  }

  remove(session: Session): void {
    const place = this.#places.get(session);
    if (place === undefined) return;
    this.#places.delete(session);
    const queue = this.#byPod.get(place.podId);
    if (queue === undefined) return;
    lineOf(queue, place.isUrgent).delete(session);
    if (queue.urgent.size + queue.others.size === 0) this.#byPod.delete(place.podId);
  }

  /** All that wait, as they came. */
  all(): Session[] {
    return [...this.#places.keys()];
  }

  /** How many wait for a pod. */
  countOf(podId: string): number {
    const queue = this.#byPod.get(podId);
    return queue === undefined ? 0 : queue.urgent.size + queue.others.size;
  }

  /** Takes out all that wait for a pod, most urgent first. */
  takeAll(podId: string): Session[] {
    const queue = this.#byPod.get(podId);
    const waiting = queue === undefined ? [] : [...queue.urgent, ...queue.others];
    for (const session of waiting) this.remove(session);
    return waiting;
  }

  /** The most urgent session that waits for a pod. */
  first(podId: string): Session | undefined {
    const queue = this.#byPod.get(podId);
    for (const session of queue?.urgent ?? []) return session;
    for (const session of queue?.others ?? []) return session;
    return undefined;
  }
}

function lineOf<Session>({ urgent, others }: Queue<Session>, isUrgent: boolean): Set<Session> {
  return isUrgent ? urgent : others;
}
