/** The producer of a run: numbered messages for every user at an even pace. */
import type { Lane, Ledger } from '../ledger/ledger.ts';
import { nowMs, sleep } from './clock.ts';
import type { Posting } from './posting.ts';
import type { Random } from './random.ts';

export interface LoadOptions {
  readonly users: readonly string[];
  /** A user's messages take turns over these. */
  readonly destinations: readonly string[];
  /** For each user. */
  readonly messages: number;
  /** In which all of them are sent, if nothing holds them up. */
  readonly durationMs: number;
  readonly posting: Posting;
  readonly ledger: Ledger;
  readonly random: Random;
  /** Ends it before all is sent. */
  readonly signal?: AbortSignal;
}

/** Sends everything; resolves with the requests to pods that it took. Each user starts at its own moment, so that they do not send in step. */
export async function produce(options: LoadOptions): Promise<number> {
  const { users, destinations, messages, durationMs, random } = options;
  const intervalMs = durationMs / messages;
  const startMs = nowMs();
  const lanes = users.flatMap((user) => {
    const offsetMs = random.between(0, intervalMs);
    return destinations.map((destination, turn) => {
      const count = Math.ceil((messages - turn) / destinations.length);
      const dueMs = (n: number) => startMs + offsetMs + ((n - 1) * destinations.length + turn) * intervalMs;
      return produceLane(options, { user, destination }, count, dueMs);
    });
  });
  const attempts = await Promise.all(lanes);
  return attempts.reduce((sum, count) => sum + count, 0);
}

/** One after the other: the next message of a lane is sent when the last one has its answer, or there would be no order to keep. */
async function produceLane(
  { posting, ledger, signal }: LoadOptions,
  lane: Lane,
  count: number,
  dueMs: (n: number) => number,
): Promise<number> {
  let attempts = 0;
  for (let n = 1; n <= count; n++) {
    await sleep(Math.max(0, dueMs(n) - nowMs()));
    if (signal?.aborted) break;
    ledger.sent(lane, n, nowMs());
    const answer = await posting.post(lane.user, lane.destination, JSON.stringify({ n }));
    ledger.answered(lane, n, answer.outcome);
    attempts += answer.attempts;
  }
  return attempts;
}
