/** Numbered messages for one user, pushed through the gateway while the user's pod is replaced again and again. */
import { nowMs } from '../experiment/clock.ts';
import { gatewayPosting } from '../experiment/posting.ts';
import type { Ledger } from '../ledger/ledger.ts';
import { eventually, type ProxyUnderTest } from './proxy.ts';

interface Pod {
  readonly name: string;
  /** HOST:PORT */
  readonly address: string;
}

/** Messages between two moves. */
const MESSAGES_BETWEEN = 25;

export interface Rolling {
  readonly proxy: ProxyUnderTest;
  readonly backends: readonly [Pod, Pod];
  readonly user: string;
  readonly destination: string;
  readonly ledger: Ledger;
}

/**
 * Resolves when something that was pushed to the user has been heard: there are brokers that do not say when a subscription is live.
 * What is pushed is numbered 0.
 */
export async function untilHeard(
  { proxy, user, destination }: Omit<Rolling, 'ledger' | 'backends'>,
  heard: () => boolean,
) {
  const posting = gatewayPosting(proxy.admin);
  await eventually(async () => {
    if (heard()) return;
    await posting.post(user, destination, '0');
    throw new Error('nothing was heard');
  });
  posting.close();
}

/** Resolves when the session has moved there and back, and everything that was sent has arrived. */
export async function rollWhilePushing({ proxy, backends, user, destination, ledger }: Rolling): Promise<void> {
  const posting = gatewayPosting(proxy.admin);
  let n = 0;
  let isOver = false;
  const push = async () => {
    while (!isOver) {
      const lane = { user, destination };
      ledger.sent(lane, ++n, nowMs());
      const { outcome } = await posting.post(user, destination, String(n));
      ledger.answered(lane, n, outcome);
    }
  };
  const pushing = push();
  const more = async () => {
    const from = n;
    await eventually(() => {
      if (n < from + MESSAGES_BETWEEN) throw new Error(`${n - from} messages were sent`);
    });
  };
  const [first, second] = backends;
  await more();
  for (const [from, to] of [
    [first, second],
    [second, first],
  ] as const) {
    const moves = moved(proxy);
    proxy.setPods([{ name: from.name, address: from.address, state: 'draining' }, to]);
    await more();
    await eventually(() => {
      if (moved(proxy) === moves) throw new Error('the session has not moved');
    });
    await more();
  }
  isOver = true;
  await pushing;
  posting.close();
  await eventually(() => {
    if (ledger.arrivals < n) throw new Error(`${ledger.arrivals} of ${n} messages have arrived`);
  });
}

function moved({ lines }: ProxyUnderTest): number {
  return lines.filter(({ msg }) => msg.startsWith('handed over')).length;
}
