import { nowMs, sleep } from '../experiment/clock.ts';
import type { Ledger } from '../ledger/ledger.ts';

/** When messages are missing, so long a silence means that they do not come: longer than their time to live. */
const QUIET_MS = 12_000;
const POLL_MS = 200;

/** Until all has arrived, or nothing arrives any more. */
export async function arrived(ledger: Ledger): Promise<void> {
  let heardMs = nowMs();
  for (let before = ledger.arrivals; !ledger.complete && nowMs() - heardMs < QUIET_MS; before = ledger.arrivals) {
    await sleep(POLL_MS);
    if (ledger.arrivals > before) heardMs = nowMs();
  }
}
