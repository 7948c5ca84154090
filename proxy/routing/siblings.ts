/** Sessions of one user belong together, for a message goes to one pod. */
import type { Pod } from '../discovery/index.ts';
import type { Fleet } from './fleet.ts';
import { commonPod, type Place, podsOf } from './place.ts';
import type { Places } from './places.ts';

export class Siblings<Session> {
  readonly #places: Places<Session>;
  readonly #fleet: Fleet;

  constructor(places: Places<Session>, fleet: Fleet) {
    this.#places = places;
    this.#fleet = fleet;
  }

  /**
   * Where a message for this user reaches all of the user's sessions on this proxy: the pod they are at; while they move,
   * one that all of them still read. After a crash there may be none; then it is where one of them is. `wait`: one of them
   * has no link right now. Undefined: the user has no session here.
   */
  whereIs(user: string): Pod | 'wait' | undefined {
    const places = [...this.#places.ofUser(user)].map(([, place]) => place);
    if (places.some((place) => place.pod === undefined)) return 'wait';
    return commonPod(places.map(podsOf));
  }

  /**
   * Where a session that has no link finds the others that have one; undefined when none has. Those that have moved still read the pod that
   * they left, and until the commit it is the one that producers ask: then the newcomer begins there too, and follows by a move of its own.
   * @param isPreferred of several pods that all of them read the one to take
   */
  podOf(session: Session, user: string, isPreferred: (pod: Pod) => boolean): Pod | undefined {
    const read = this.#places
      .linkedSiblings(session, user)
      .map((each) => podsOf(each).filter((pod) => this.#isFit(pod, each)));
    return commonPod(
      read.filter((pods) => pods.length > 0),
      isPreferred,
    );
  }

  /** It is there, and if it is one that was left, in no doubt. */
  #isFit(pod: Pod, place: Place): boolean {
    return this.#fleet.pod(pod.id) !== undefined && (pod === place.pod || !this.#fleet.healthOf(pod.id).isDoubtful);
  }
}
