/** Which of several workers is the home of a user. */
import { hash } from '../../ring/index.ts';

/**
 * The same for as long as there are as many workers: a worker that ends is started again under its index, and its users stay with it.
 * The remainder and not a ring, since the number never changes while the process lives.
 * @returns 0 … count-1
 */
export function homeOf(name: string, count: number): number {
  return Number(hash(name) % BigInt(count));
}
