/**
 * Users with several sessions, while these are apart. A message goes to one pod; a session that does not read that one misses what
 * another session of its user gets there, and nothing that it sees would tell it. So it is to be told when that is over.
 */
import type { Ring } from '../../ring/index.ts';
import type { Pod } from '../discovery/index.ts';
import { aimOf } from './aim.ts';
import type { Group } from './household.ts';
import { podsOf, type Where } from './place.ts';

export class Apart<Session> {
  readonly #apart = new Set<Session>();
  #over: Session[] = [];

  get sessions(): Iterable<Session> {
    return this.#apart;
  }

  /**
   * Something has changed for a user. One without a link is not apart: it will be told of the gap when it has one.
   * @param groups all sessions of the user
   * @param moved the groups of those that are not where they were at the last look
   * @param committed the ring that producers follow
   */
  look(
    groups: Iterable<Group<Session>>,
    moved: Iterable<readonly [Session, Group<Session>]>,
    committed: Ring,
    keyOf: (pod: Pod) => string,
  ): void {
    const all = [...groups];
    const linked = all.map(({ where }) => where).filter(({ pod }) => pod !== undefined);
    // Those in one place read the same; most users have one session.
    const aim = linked.length > 1 ? aimOf(linked, committed, keyOf) : undefined;
    const keys = new Set(aim === undefined ? [] : linked.flatMap((where) => podsOf(where).map(keyOf)));
    for (const group of all) {
      const { where, sessions, isApart: was } = group;
      const aims = () => [aim && keyOf(aim), committed.firstOf(where.key, keys)];
      group.isApart = where.pod !== undefined && aim !== undefined && misses(where, aims(), keyOf);
      if (group.isApart !== was) for (const session of sessions) this.#set(session, group);
    }
    for (const [session, group] of moved) this.#set(session, group);
  }

  #set(session: Session, { where, isApart }: Group<Session>): void {
    if (isApart) this.#apart.add(session);
    else if (this.#apart.delete(session) && where.pod !== undefined) this.#over.push(session);
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
function misses(where: Where, aims: readonly (string | undefined)[], keyOf: (pod: Pod) => string): boolean {
  const read = podsOf(where).map(keyOf);
  return aims.some((aim) => aim !== undefined && !read.includes(aim));
}
