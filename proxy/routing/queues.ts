/**
 * Sessions that wait for a link, by the pod they wait for, in three classes: those that have no link and had one, those
 * that never had one, and those that are only to be moved. In a class it is first come, first served.
 */
export type Urgency = 'recovery' | 'open' | 'leaving' | 'move';

/** `leaving`: a planned move away from a pod that drains or is gone, which has the shorter time. */
const ORDER: readonly Urgency[] = ['recovery', 'open', 'leaving', 'move'];

/** In place of a pod: whichever shows that it is back. */
export const ANY_POD = '';

/** A session that has a link and is only to be moved; those can wait. */
export function isMove(urgency: Urgency): boolean {
  return urgency === 'leaving' || urgency === 'move';
}

export class Queues<Session> {
  readonly #byPod = new Map<string, Map<Urgency, Set<Session>>>();
  readonly #places = new Map<Session, { podId: string; urgency: Urgency }>();

  get size(): number {
    return this.#places.size;
  }

  podIds(): string[] {
    return [...this.#byPod.keys()];
  }

  has(session: Session): boolean {
    return this.#places.has(session);
  }

  /** A session waits in one place only; an equal place keeps its turn. */
  put(session: Session, podId: string, urgency: Urgency): void {
    const place = this.#places.get(session);
    if (place?.podId === podId && place.urgency === urgency) return;
    this.remove(session);
    this.#places.set(session, { podId, urgency });
    const classes = getOrPut(this.#byPod, podId, () => new Map<Urgency, Set<Session>>());
    const waiting = getOrPut(classes, urgency, () => new Set<Session>());
    waiting.add(session);
  }

  remove(session: Session): void {
    const place = this.#places.get(session);
    if (place === undefined) return;
    this.#places.delete(session);
    const classes = this.#byPod.get(place.podId);
    classes?.get(place.urgency)?.delete(session);
    if (classes?.get(place.urgency)?.size === 0) classes.delete(place.urgency);
    if (classes?.size === 0) this.#byPod.delete(place.podId);
  }

  /** All that wait, as they came. */
  all(): Session[] {
    return [...this.#places.keys()];
  }

  /** Those that wait for a pod and have no link. */
  unlinked(podId: string): number {
    const classes = this.#byPod.get(podId);
    return (classes?.get('recovery')?.size ?? 0) + (classes?.get('open')?.size ?? 0);
  }

  /** Takes out all that wait for a pod and have no link, most urgent first. */
  takeUnlinked(podId: string): Session[] {
    const classes = this.#byPod.get(podId);
    const waiting = [...(classes?.get('recovery') ?? []), ...(classes?.get('open') ?? [])];
    for (const session of waiting) this.remove(session);
    return waiting;
  }

  /** The most urgent session that waits for a pod. */
  first(podId: string): { session: Session; urgency: Urgency } | undefined {
    const classes = this.#byPod.get(podId);
    for (const urgency of ORDER) {
      for (const session of classes?.get(urgency) ?? []) return { session, urgency };
    }
    return undefined;
  }
}

function getOrPut<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
