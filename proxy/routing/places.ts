/** What routing knows of all sessions, by session and by user. */
import { type Group, Household } from './household.ts';
import type { Place } from './place.ts';

const NONE: readonly never[] = [];

export class Places<Session extends number> {
  readonly #bySession = new Map<Session, Place>();
  /** Most users have one session: a household of one would be half a kilobyte. */
  readonly #byUser = new Map<string, Session | Household<Session>>();

  get(session: Session): Place | undefined {
    return this.#bySession.get(session);
  }

  sessions(): Iterable<Session> {
    return this.#bySession.keys();
  }

  /** The sessions of a user by where they are. */
  groupsOf(user: string): Iterable<Group<Session>> {
    const known = this.#byUser.get(user);
    if (known instanceof Household) return known.groups();
    const group = known === undefined ? undefined : this.groupOf(known);
    return group === undefined ? NONE : [group];
  }

  /** The sessions of the user that are where this one is. */
  groupOf(session: Session): Group<Session> | undefined {
    const place = this.#bySession.get(session);
    if (place === undefined) return undefined;
    const known = this.#byUser.get(place.user);
    if (known instanceof Household) return known.groupOf(place);
    return { where: place, sessions: [session], isApart: false };
  }

  countOf(user: string): number {
    const known = this.#byUser.get(user);
    if (known instanceof Household) return known.size;
    return known === undefined ? 0 : 1;
  }

  add(session: Session, place: Place): void {
    this.#bySession.set(session, place);
    const known = this.#byUser.get(place.user);
    if (known === undefined) this.#byUser.set(place.user, session);
    else this.#householdOf(place.user, known).add(session, place);
  }

  #householdOf(user: string, known: Session | Household<Session>): Household<Session> {
    if (known instanceof Household) return known;
    const household = new Household<Session>();
    const place = this.#bySession.get(known);
    if (place !== undefined) household.add(known, place);
    this.#byUser.set(user, household);
    return household;
  }

  /** @returns the session of the user that is alone now, if there is one */
  remove(session: Session): Session | undefined {
    const place = this.#bySession.get(session);
    if (place === undefined) return undefined;
    this.#bySession.delete(session);
    const known = this.#byUser.get(place.user);
    if (known instanceof Household) known.remove(session, place);
    else this.#byUser.delete(place.user);
    return known instanceof Household && known.size === 1 ? this.#alone(place.user, known) : undefined;
  }

  #alone(user: string, household: Household<Session>): Session | undefined {
    for (const { sessions } of household.groups()) {
      for (const session of sessions) {
        this.#byUser.set(user, session);
        return session;
      }
    }
    return undefined;
  }

  /**
   * The only way to change where a session is.
   * @returns whether no session of the user is any more where this one was
   */
  move(session: Session, place: Place, change: (place: Place) => void): boolean {
    const known = this.#byUser.get(place.user);
    const wasLast = known instanceof Household ? known.remove(session, place) : true;
    change(place);
    if (known instanceof Household) known.add(session, place);
    return wasLast;
  }
}
