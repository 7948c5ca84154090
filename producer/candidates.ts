/**
 * Which pods may hold the user's session, most likely first.
 *
 * At rest the owner on the committed ring has it. While sessions move, a user may already be on the owner of the target
 * ring, or not yet. A session whose owner failed sits on one of the next pods of the walk (`owners`), because the proxy
 * falls back in the same order. So: what the proxy knows, the two owners, then both walks.
 */
import type { RingSnapshot } from './ring-source.ts';

/** `maxWalk` bounds how far each ring is walked: what one look for an absent user may cost in requests. */
export function candidates(rings: RingSnapshot, user: string, maxWalk: number, hint?: string): string[] {
  const committed = rings.committed.owners(user, maxWalk);
  const target = rings.target === rings.committed ? committed : rings.target.owners(user, maxWalk);
  const heads = [hint, committed[0], target[0]].filter((key) => key !== undefined);
  return [...new Set([...heads, ...committed, ...target])];
}
