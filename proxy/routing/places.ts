/** What routing knows of all sessions, by session and by user. */
import type { Place } from './place.ts';

export class Places<Session> {
  readonly #bySession = new Map<Session, Place>();
  readonly #byUser = new Map<string, Set<Session>>();

  get(session: Session): Place | undefined {
    return this.#bySession.get(session);
  }

  sessions(): Iterable<Session> {
    return this.#bySession.keys();
  }

  /** The sessions of a user, with their places. */
  *ofUser(user: string): Iterable<readonly [Session, Place]> {
    for (const session of this.#byUser.get(user) ?? []) {
      const place = this.#bySession.get(session);
      if (place !== undefined) yield [session, place];
    }
  }

  /** The places of the other sessions of a user that have a link. */
  linkedSiblings(session: Session, user: string): Place[] {
    return [...this.ofUser(user)].flatMap(([id, place]) => (id !== session && place.pod !== undefined ? [place] : []));
  }

  /** Users with more than one session. */
  *usersOfSeveral(): Iterable<string> {
    for (const [user, sessions] of this.#byUser) if (sessions.size > 1) yield user;
  }

  countOf(user: string): number {
    return this.#byUser.get(user)?.size ?? 0;
  }

  add(session: Session, place: Place): void {
    this.#bySession.set(session, place);
    const sessions = this.#byUser.get(place.user);
    if (sessions === undefined) this.#byUser.set(place.user, new Set([session]));
    else sessions.add(session);
  }

  remove(session: Session): void {
    const place = this.#bySession.get(session);
    if (place === undefined) return;
    this.#bySession.delete(session);
    const sessions = this.#byUser.get(place.user);
    sessions?.delete(session);
    if (sessions?.size === 0) this.#byUser.delete(place.user);
  }
}
