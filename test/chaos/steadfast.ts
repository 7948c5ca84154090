/** A producer that goes on whatever it is answered: an answer that is none counts as failed, as a refused connection does. */
import type { Posting } from '../experiment/posting.ts';
import type { Lane, Outcome } from '../ledger/ledger.ts';

/** @param onRefused told of every message whose producer was not told that it is delivered */
export function steadfast(
  posting: Posting,
  onRefused: (lane: Lane, n: number, outcome: Outcome) => void = () => {},
): Posting {
  return {
    post: async (user, destination, body) => {
      const answer = await posting.post(user, destination, body).catch(() => FAILED);
      if (answer.outcome !== 'delivered') onRefused({ user, destination }, numberIn(body), answer.outcome);
      return answer;
    },
    close: () => posting.close(),
  };
}

const FAILED = { outcome: 'failed', attempts: 0 } as const;

function numberIn(body: string): number {
  return (JSON.parse(body) as { n: number }).n;
}
