/** A producer that goes on whatever it is answered: an answer that is none counts as failed, as a refused connection does. */
import type { Posting } from '../experiment/posting.ts';

export function steadfast(posting: Posting): Posting {
  return {
    post: (...message) => posting.post(...message).catch(() => ({ outcome: 'failed', attempts: 0 })),
    close: () => posting.close(),
  };
}
