/** The stock sockjs-client under stock stomp.js, each transport in turn, while its pod is replaced. */
import { expect, test } from 'vitest';
import { started } from '../backend/tools.ts';
import { nowMs } from '../experiment/clock.ts';
import { Ledger } from '../ledger/ledger.ts';
import { startProxy } from '../support/proxy.ts';
import { rollWhilePushing } from '../support/rolling.ts';
import { connectSockJs, TRANSPORTS } from '../support/sockjs.ts';

const USER = 'alice';
const DESTINATION = '/queue/news';

test.each(TRANSPORTS)(
  '%s: there and back, nothing lost, doubled or swapped, no close',
  async (transport) => {
    const backends = [await started({ name: 'pod-1' }), await started({ name: 'pod-2' })] as const;
    const proxy = await startProxy(backends.slice(0, 1), ['--user', 'query:user', '--handover-drain-max', '500ms']);
    const ledger = new Ledger();
    const client = await connectSockJs(`${proxy.http}/ws?user=${USER}`, transport);
    await new Promise<void>((resolve) => {
      client.stomp.watchForReceipt('live', () => resolve());
      const heard = ({ body }: { body: string }) =>
        ledger.received({ user: USER, destination: DESTINATION }, Number(body), nowMs());
      client.stomp.subscribe(`/user${DESTINATION}`, heard, { receipt: 'live' });
    });
    await rollWhilePushing({ proxy, backends, user: USER, destination: DESTINATION, ledger });
    expect(ledger.findings()).toEqual([]);
    expect(client.transports).toEqual([transport]);
    expect(client.closes).toBe(0);
    await client.stomp.deactivate();
    expect(client.closes).toBe(1);
  },
  60_000,
);
