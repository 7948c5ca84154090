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

  /**
   * Something has changed for a user. One without a link is not apart: it will be told of the gap when it has one.
   * @param sessions all of the user
   * @param committed the ring that producers follow
   */
  look(sessions: Iterable<readonly [Session, Place]>, committed: Ring, keyOf: (pod: Pod) => string): void {
    const all = [...sessions];
    const linked = all.filter(([, { pod }]) => pod !== undefined);
    for (const [session, place] of all) {
      if (place.pod === undefined) this.#apart.delete(session);
      else if (
        linked.length > 1 &&
        misses(
          place,
          linked.map(([, each]) => each),
          committed,
          keyOf,
        )
      )
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

/** The gateway aims at a pod that all read; producers elsewhere at the first in the agreed order that knows the user. */
function misses(place: Place, linked: readonly Place[], committed: Ring, keyOf: (pod: Pod) => string): boolean {
  const reads = (each: Place, key: string) => podsOf(each).some((pod) => keyOf(pod) === key);
  const common = commonPod(linked.map(podsOf));
  const first = committed
    .owners(place.key, committed.keys.length)
    .find((key) => linked.some((each) => reads(each, key)));
  return [common === undefined ? undefined : keyOf(common), first].some(
    (key) => key !== undefined && !reads(place, key),
  );
}
