/**
 * Users with several sessions, while these are apart. A message goes to one pod; a session that does not read that one misses what
 * another session of its user gets there, and nothing that it sees would tell it. So it is to be told when that is over.
 */
import type { Ring } from '../../ring/index.ts';
import type { Pod } from '../discovery/index.ts';
import { commonPod, type Place, podsOf } from './place.ts';

export class Apart<Session> {
  readonly #apart = new Set<Session>();
  #over: Session[] = [];

  get sessions(): Iterable<Session> {
    return this.#apart;
  }

  /**
   * Something has changed for a user. One without a link is not apart: it will be told of the gap when it has one.
   * @param sessions all of the user
   * @param committed the ring that producers follow
   */
  look(sessions: Iterable<readonly [Session, Place]>, committed: Ring, keyOf: (pod: Pod) => string): void {
    const all = [...sessions];
    const linked = all.map(([, place]) => place).filter(({ pod }) => pod !== undefined);
    const keys = new Set(linked.flatMap((place) => podsOf(place).map(keyOf)));
    const common = linked.length > 1 && keys.size > 1 ? commonPod(linked.map(podsOf)) : undefined;
    for (const [session, place] of all) {
      if (place.pod === undefined) this.#apart.delete(session);
      else if (common !== undefined && misses(place, [keyOf(common), committed.firstOf(place.key, keys)], keyOf))
        this.#apart.add(session);
      else if (this.#apart.delete(session)) this.#over.push(session);
    }
  }

  forget(session: Session): void {
    this.#apart.delete(session);
  }

  /** Sessions that were apart until now, each once. */
  takeOver(): Session[] {
    const over = this.#over;
    this.#over = [];
    return over;
  }
}

/** @param aims the gateway's, a pod that all read; and of producers elsewhere, the first in the agreed order that knows the user */
function misses(place: Place, aims: readonly (string | undefined)[], keyOf: (pod: Pod) => string): boolean {
  const read = podsOf(place).map(keyOf);
  return aims.some((aim) => aim !== undefined && !read.includes(aim));
}
