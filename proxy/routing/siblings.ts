/** Sessions of one user belong together, for a message goes to one pod. */
import type { Ring } from '../../ring/index.ts';
import type { Pod } from '../discovery/index.ts';
import { aimOf } from './aim.ts';
import type { Fleet } from './fleet.ts';
import { commonPods, podsOf, type Where } from './place.ts';
import type { Places } from './places.ts';

export class Siblings<Session extends number> {
  readonly #places: Places<Session>;
  readonly #fleet: Fleet;

  constructor(places: Places<Session>, fleet: Fleet) {
    this.#places = places;
    this.#fleet = fleet;
  }

  /**
   * Where a message for this user goes (see `aimOf`). `wait`: one of the user's sessions has no link right now. Undefined: the user has no
   * session here.
   */
  whereIs(user: string, committed: Ring, keyOf: (pod: Pod) => string): Pod | 'wait' | undefined {
    const read = [...this.#places.groupsOf(user)].map(({ where }) => where);
    return read.some(({ pod }) => pod === undefined) ? 'wait' : aimOf(read, committed, keyOf);
  }

  /**
   * Where a session of this user that has no link finds the others that have one; undefined when none has. Those that have moved still read the
   * pod that they left, and until the commit it is the one that producers ask: then the newcomer begins there too, and follows by a move of its own.
   * @param isPreferred of several pods that all of them read, or that some of them do, the one to take
   */
  podOf(user: string, isPreferred: (pod: Pod) => boolean): Pod | undefined {
    const linked = [...this.#places.groupsOf(user)].filter(({ where }) => where.pod !== undefined);
    const read = linked.map(({ where }) => podsOf(where).filter((pod) => this.#isFit(pod, where)));
    const fit = read.filter((pods) => pods.length > 0);
    const common = commonPods(fit);
    const among = common.length > 0 ? common : fit.flat();
    return among.find(isPreferred) ?? among[0];
  }

  /** It is there, and if it is one that was left, in no doubt. */
  #isFit(pod: Pod, where: Where): boolean {
    return this.#fleet.pod(pod.id) !== undefined && (pod === where.pod || !this.#fleet.healthOf(pod.id).isDoubtful);
  }
}
