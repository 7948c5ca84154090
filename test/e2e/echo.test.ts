/** An application that answers: SENDs of clients and their echoes while every pod is replaced. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@stomp/stompjs';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { nowMs } from '../experiment/clock.ts';
import { Fleet } from '../experiment/fleet.ts';
import { type ProxyProcess, startProxy } from '../experiment/proxy.ts';
import { seeded } from '../experiment/random.ts';
import { scenarios } from '../experiment/scenarios.ts';
import { Ledger } from '../ledger/ledger.ts';

const CLIENTS = 8;
const SEND_EVERY_MS = 10;
const DESTINATION = '/queue/echo';

let directory: string;
let fleet: Fleet;
let proxy: ProxyProcess;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'holdfast-echo-'));
  fleet = new Fleet({ directory });
  await fleet.add(3);
  // Echoes carry no numbers, so silence is all there is to go by; a busy machine may pause for longer than 50 ms.
  const flags = ['--handover-drain-max', '500ms', '--handover-order-quiet', '500ms'];
  proxy = await startProxy({ podsFile: fleet.file, flags });
});

afterEach(async () => {
  await proxy.stop();
  await fleet.stop();
  rmSync(directory, { recursive: true });
});

/** A client that says numbers, and what comes back goes into the ledger. */
class Talker {
  readonly #client: Client;
  readonly #ledger: Ledger;
  readonly #lane: { readonly user: string; readonly destination: string };
  #timer: NodeJS.Timeout | undefined;
  #said = 0;
  closes = 0;

  constructor(user: string, ledger: Ledger) {
    this.#ledger = ledger;
    this.#lane = { user, destination: DESTINATION };
    this.#client = new Client({
      webSocketFactory: () =>
        new WebSocket(`${proxy.listenUrl.replace('http', 'ws')}/ws`, ['v12.stomp'], { headers: { Username: user } }),
      debug: () => {},
      onWebSocketClose: () => this.closes++,
    });
  }

  /** Resolves when its subscription is live; from then on it talks. */
  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#client.onConnect = () => resolve();
      this.#client.activate();
    });
    await new Promise<void>((resolve) => {
      this.#client.watchForReceipt('live', () => resolve());
      const heard = ({ body }: { body: string }) => this.#ledger.received(this.#lane, Number(body), nowMs());
      this.#client.subscribe(`/user${DESTINATION}`, heard, { receipt: 'live' });
    });
    this.#timer = setInterval(() => this.#say(), SEND_EVERY_MS);
  }

  /** The last word, and everything that was on its way back; resolves with the closes before it. */
  async stop(): Promise<number> {
    clearInterval(this.#timer);
    const { closes } = this;
    await this.#client.deactivate();
    return closes;
  }

  #say(): void {
    this.#ledger.sent(this.#lane, ++this.#said, nowMs());
    this.#client.publish({ destination: '/app/echo', body: String(this.#said) });
  }
}

it.each(['rolling', 'in-place'] as const)(
  'echoes through %s: each SEND is answered once and in order',
  async (scenario) => {
    const ledger = new Ledger();
    const talkers = Array.from({ length: CLIENTS }, (_, index) => new Talker(`talker-${index}`, ledger));
    await Promise.all(talkers.map((talker) => talker.start()));
    await scenarios[scenario]({ fleet, random: seeded(1), durationMs: 1_000 });
    const closes = await Promise.all(talkers.map((talker) => talker.stop()));
    expect(closes).toEqual(talkers.map(() => 0));
    expect(ledger.findings()).toEqual([]);
    expect(ledger.arrivals).toBeGreaterThan(CLIENTS * 100);
    expect((await proxy.metrics()).get('holdfast_moves_total')).toBeGreaterThan(0);
  },
  60_000,
);
