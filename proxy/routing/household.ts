/**
 * The sessions of a user who has several, by where they are. What is decided of them depends on where they are and not on how many they are,
 * and they may be thousands: one login for all, a wall of screens, a load test.
 */
import type { Place, Where } from './place.ts';

/** Sessions of one user that are in the same place: what holds for one of them holds for all. */
export interface Group<Session> {
  readonly where: Where;
  readonly sessions: Iterable<Session>;
  /** As of the last look (see Apart). */
  isApart: boolean;
}

export class Household<Session> {
  readonly #groups = new Map<string, Group<Session> & { readonly sessions: Set<Session> }>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  groups(): Iterable<Group<Session>> {
    return this.#groups.values();
  }

  groupOf(place: Place): Group<Session> | undefined {
    return this.#groups.get(nameOf(place));
  }

  add(session: Session, place: Place): void {
    const name = nameOf(place);
    const { key, pod, left } = place;
    const group = this.#groups.get(name) ?? { where: { key, pod, left }, sessions: new Set(), isApart: false };
    this.#groups.set(name, group);
    group.sessions.add(session);
    this.#size += 1;
  }

  /**
   * @param place where it was added
   * @returns whether nobody is there any more
   */
  remove(session: Session, place: Place): boolean {
    const name = nameOf(place);
    const group = this.#groups.get(name);
    if (group?.sessions.delete(session) !== true) return false;
    this.#size -= 1;
    return group.sessions.size === 0 && this.#groups.delete(name);
  }
}

function nameOf({ key, pod, left }: Where): string {
  return JSON.stringify([key, pod?.id, ...left.map(({ id }) => id)]);
}
