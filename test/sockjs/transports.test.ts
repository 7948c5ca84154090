/** The stock sockjs-client under stock stomp.js, each transport in turn, while its pod is replaced. */
import { Client } from '@stomp/stompjs';
import SockJS from 'sockjs-client';
import { expect, onTestFinished, test } from 'vitest';
import { started } from '../backend/tools.ts';
import { nowMs } from '../experiment/clock.ts';
import { Ledger } from '../ledger/ledger.ts';
import { startProxy } from '../support/proxy.ts';
import { rollWhilePushing } from '../support/rolling.ts';

const USER = 'alice';
const DESTINATION = '/queue/news';

test.each(['websocket', 'xhr-streaming', 'eventsource', 'xhr-polling'] as const)(
  '%s: there and back, nothing lost, doubled or swapped, no close',
  async (transport) => {
    const backends = [await started({ name: 'pod-1' }), await started({ name: 'pod-2' })] as const;
    const proxy = await startProxy(backends.slice(0, 1), ['--user', 'query:user', '--handover-drain-max', '500ms']);
    const ledger = new Ledger();
    let closes = 0;
    const sockets: { readonly transport: string }[] = [];
    const client = new Client({
      webSocketFactory: () => {
        const socket = new SockJS(`${proxy.http}/ws?user=${USER}`, undefined, { transports: transport });
        sockets.push(socket as unknown as { transport: string });
        return socket;
      },
      onWebSocketClose: () => closes++,
    });
    onTestFinished(() => client.deactivate({ force: true }));
    await new Promise<void>((resolve) => {
      client.onConnect = () => resolve();
      client.activate();
    });
    await new Promise<void>((resolve) => {
      client.watchForReceipt('live', () => resolve());
      const heard = ({ body }: { body: string }) =>
        ledger.received({ user: USER, destination: DESTINATION }, Number(body), nowMs());
      client.subscribe(`/user${DESTINATION}`, heard, { receipt: 'live' });
    });
    expect(sockets.map((socket) => socket.transport)).toEqual([transport]);
    await rollWhilePushing({ proxy, backends, user: USER, destination: DESTINATION, ledger });
    expect(ledger.findings()).toEqual([]);
    expect(closes).toBe(0);
    await client.deactivate();
    expect(closes).toBe(1);
  },
  60_000,
);
