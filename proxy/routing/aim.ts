/** Which pod gets what is for a user with sessions at several. */
import type { Ring } from '../../ring/index.ts';
import type { Pod } from '../discovery/index.ts';
import { commonPods, podsOf, type Where } from './place.ts';

/**
 * One that all of the user's sessions read: the one they are at, and while they move, one that they are leaving. After a crash there may be none,
 * and after a commit that has waited long enough: then, of the pods that one of them reads, the one where producers elsewhere send it.
 * @param read where the sessions are that have a link
 * @param committed the ring that producers follow
 */
export function aimOf(read: readonly Where[], committed: Ring, keyOf: (pod: Pod) => string): Pod | undefined {
  const [common] = commonPods(read.map(podsOf));
  if (common !== undefined) return common;
  const pods = read.flatMap(podsOf);
  const first = committed.firstOf(read[0]?.key ?? '', new Set(pods.map(keyOf)));
  return pods.find((pod) => keyOf(pod) === first) ?? pods[0];
}
