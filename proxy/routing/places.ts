/** What routing knows of all sessions, by session and by user. */
import type { Place } from './place.ts';

const NONE: readonly never[] = [];

export class Places<Session> {
  readonly #bySession = new Map<Session, Place>();
  /** Mostly one each: a Set would be 250 octets, and a list that has grown (by `push`, `...` or `filter`) 184. */
  readonly #byUser = new Map<string, readonly Session[]>();

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

  countOf(user: string): number {
    return this.#byUser.get(user)?.length ?? 0;
  }

  add(session: Session, place: Place): void {
    this.#bySession.set(session, place);
    this.#byUser.set(place.user, (this.#byUser.get(place.user) ?? NONE).concat([session]));
  }

  remove(session: Session): void {
    const place = this.#bySession.get(session);
    if (place === undefined) return;
    this.#bySession.delete(session);
    const others = (this.#byUser.get(place.user) ?? NONE).filter((other) => other !== session);
    if (others.length > 0) this.#byUser.set(place.user, others.slice());
    else this.#byUser.delete(place.user);
  }
}
