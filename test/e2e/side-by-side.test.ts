/** Two proxies before the same pods, as a Deployment runs them: nothing is shared but what Kubernetes says. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Clients } from '../experiment/clients.ts';
import type { ClientEvent } from '../experiment/clients-messages.ts';
import { Fleet } from '../experiment/fleet.ts';
import { produce } from '../experiment/load.ts';
import { gatewayPosting, type Posting } from '../experiment/posting.ts';
import { type ProxyProcess, startProxy } from '../experiment/proxy.ts';
import { seeded } from '../experiment/random.ts';
import { scenarios } from '../experiment/scenarios.ts';
import { Ledger } from '../ledger/ledger.ts';
import { eventually } from '../support/proxy.ts';

const USERS = 8;
const MESSAGES = 40;
const DURATION_MS = 6_000;
const TIMEOUT_MS = 120_000;
const DESTINATIONS = ['/queue/a', '/queue/b'];

/** Three pods, and two proxies that follow them. */
async function stage(): Promise<{ fleet: Fleet; proxies: readonly [ProxyProcess, ProxyProcess] }> {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-side-by-side-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const fleet = new Fleet({ directory });
  onTestFinished(() => fleet.stop());
  await fleet.add(3);
  const start = async () => {
    const proxy = await startProxy({ podsFile: fleet.file });
    onTestFinished(() => proxy.process.kill());
    return proxy;
  };
  return { fleet, proxies: [await start(), await start()] };
}

async function connect(at: ProxyProcess, users: readonly string[], onEvent: (event: ClientEvent) => void) {
  const clients = await Clients.open({ url: at.listenUrl, users, destinations: DESTINATIONS, notices: false, onEvent });
  onTestFinished(() => clients.kill());
}

function postingAt({ adminUrl }: ProxyProcess): Posting {
  const posting = gatewayPosting(adminUrl);
  onTestFinished(() => posting.close());
  return posting;
}

/** All messages for these users; resolves when all have their answers. */
async function produceAll(posting: Posting, users: readonly string[], ledger: Ledger): Promise<void> {
  const load = { messages: MESSAGES, durationMs: DURATION_MS, destinations: DESTINATIONS };
  await produce({ ...load, users, posting, ledger, random: seeded(1) });
}

const named = (name: string) => Array.from({ length: USERS }, (_, n) => `${name}-${n}`);
const rolling = (fleet: Fleet) => scenarios.rolling({ fleet, random: seeded(1), durationMs: DURATION_MS });

test(
  'a rolling restart, with every message at the proxy that has not the client: nothing is closed, lost, doubled or swapped',
  async () => {
    const { fleet, proxies } = await stage();
    const [one, other] = proxies;
    const ledger = new Ledger();
    const ends: ClientEvent[] = [];
    const onEvent = (event: ClientEvent) => {
      if (event.type === 'message') ledger.received(event, event.n, event.atMs);
      else ends.push(event);
    };
    await connect(one, named('left'), onEvent);
    await connect(other, named('right'), onEvent);
    const produced = [
      produceAll(postingAt(other), named('left'), ledger),
      produceAll(postingAt(one), named('right'), ledger),
    ];
    await Promise.all([...produced, rolling(fleet)]);
    const sent = 2 * USERS * MESSAGES;
    await eventually(() => {
      expect(ledger.tally()).toMatchObject({ sent, received: sent, lost: 0, refused: 0, duplicated: 0, reordered: 0 });
    });
    expect(ends).toEqual([]);
    for (const proxy of proxies) expect((await proxy.metrics()).get('holdfast_moves_total')).toBeGreaterThan(0);
  },
  TIMEOUT_MS,
);

/**
 * The limit of proxies that do not commit together: while one has moved a user's client and the other has not, a message goes to the
 * pod of one of them. docs/KUBERNETES.md says how many that were.
 */
test(
  'a user with a client at each of two proxies: what is called delivered reaches one of them, and neither gets it twice',
  async () => {
    const { fleet, proxies } = await stage();
    const users = named('both');
    const arrived = proxies.map(() => [] as string[]);
    for (const [side, proxy] of proxies.entries()) {
      await connect(proxy, users, (event) => {
        if (event.type === 'message') arrived[side]?.push(nameOf(event.user, event.destination, event.n));
      });
    }
    const delivered: string[] = [];
    const posting = postingAt(proxies[0]);
    const noting: Posting = {
      ...posting,
      post: async (user, destination, body) => {
        const answer = await posting.post(user, destination, body);
        const { n } = JSON.parse(body) as { n: number };
        if (answer.outcome === 'delivered') delivered.push(nameOf(user, destination, n));
        return answer;
      },
    };
    await Promise.all([produceAll(noting, users, new Ledger()), rolling(fleet)]);
    await eventually(() => {
      const reached = new Set(arrived.flat());
      expect(delivered.filter((message) => !reached.has(message))).toEqual([]);
    });
    expect(delivered.length).toBeGreaterThan(0.9 * USERS * MESSAGES);
    for (const side of arrived) expect(new Set(side).size).toBe(side.length);
  },
  TIMEOUT_MS,
);

function nameOf(user: string, destination: string, n: number): string {
  return `${user} ${destination} ${n}`;
}
