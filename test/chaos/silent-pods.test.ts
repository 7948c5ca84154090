/**
 * A pod that hangs and a connection that is half open, with the defaults of proxy and pods: noticed within 5 s, and what a
 * pod says to a session that has left it never reaches the client.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Clients } from '../experiment/clients.ts';
import { nowMs, sleep } from '../experiment/clock.ts';
import { Fleet, type FleetPod } from '../experiment/fleet.ts';
import { gatewayPosting } from '../experiment/posting.ts';
import { startProxy } from '../experiment/proxy.ts';
import { Doors } from './doors.ts';
import { DESTINATIONS, PROBE, Record } from './record.ts';

/** backend.gone, which is less than a heart-beat after the last word of the pod; the session is elsewhere soon after. */
const NOTICED_WITHIN_MS = 5_000;
/** For the new link and its barrier on a busy machine; the log of the proxy tells the two apart. */
const MOVED_WITHIN_MS = NOTICED_WITHIN_MS + 1_000;
const TIMEOUT_MS = 60_000;
const USERS = Array.from({ length: 20 }, (_, index) => `user-${index + 1}`);
const [DESTINATION = ''] = DESTINATIONS;

/** Two pods behind doors, a proxy with its defaults, 20 clients, and each of them has had a message. */
async function setting(podFlags: readonly string[] = []) {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-silent-'));
  const fleet = new Fleet({ directory });
  const doors = new Doors();
  onTestFinished(async () => {
    await fleet.stop();
    await doors.stop();
    rmSync(directory, { recursive: true });
  });
  const pods = await Promise.all(
    ['pod-1', 'pod-2'].map(async (name) => {
      const real = await fleet.start(name, podFlags);
      const door = await doors.open(real.address);
      fleet.mark('serving', { ...real, address: door.address });
      return { name, real, door };
    }),
  );
  const proxy = await startProxy({ podsFile: fleet.file });
  onTestFinished(() => proxy.stop());
  const silent: number[] = [];
  proxy.process.onLine((line) => {
    const ms = /"silent for (\d+) ms"/.exec(line)?.[1];
    if (ms !== undefined) silent.push(Number(ms));
  });
  const posting = gatewayPosting(proxy.adminUrl);
  onTestFinished(() => posting.close());
  const record = new Record();
  const bodies: string[] = [];
  const clients = await Clients.open({
    ...{ url: proxy.listenUrl, users: USERS, destinations: [...DESTINATIONS, PROBE], notices: true },
    onEvent: (event) => {
      if (event.type === 'message') bodies.push(`${event.user} ${event.n}`);
      record.add(event);
    },
  });
  onTestFinished(() => clients.kill());
  const victim = pods[0];
  if (victim === undefined) throw new Error('there is no pod');
  return { proxy, posting, record, bodies, victim, silent };
}

type Setting = Awaited<ReturnType<typeof setting>>;

/** One message to everybody; resolves when all have it. */
async function everybodyHears({ posting, record, bodies }: Setting, n: number): Promise<void> {
  await Promise.all(
    USERS.map(async (user) => {
      record.ledger.sent({ user, destination: DESTINATION }, n, nowMs());
      expect(await posting.post(user, DESTINATION, JSON.stringify({ n }))).toMatchObject({ outcome: 'delivered' });
    }),
  );
  await expect.poll(() => USERS.filter((user) => !bodies.includes(`${user} ${n}`)), { timeout: 10_000 }).toEqual([]);
}

async function sessionsAt({ address }: FleetPod): Promise<number> {
  const { sessions } = (await (await fetch(`http://${address}/sessions`)).json()) as { sessions: number };
  return sessions;
}

/** Until the last session that was there has been told; gives who was, and how long it took. */
async function moved({ record, victim }: Setting, count: number, sinceMs: number) {
  const told = () => record.gaps.filter(({ from, planned }) => from === victim.name && !planned);
  await expect.poll(() => told().length, { timeout: 20_000 }).toBe(count);
  return { users: told().map(({ user }) => user), ms: Math.max(...told().map(({ atMs }) => atMs)) - sinceMs };
}

function noFault({ record }: Setting): void {
  expect([record.closes, record.errors.size]).toEqual([0, 0]);
  expect(record.ledger.tally()).toMatchObject({ lost: 0, refused: 0, duplicated: 0, reordered: 0, unknown: 0 });
}

test(
  'a pod that hangs is left within 5 s; what it says when it wakes reaches nobody',
  async () => {
    // A pod that expects heart-beats would end its sessions itself when it wakes, before it delivers anything.
    const all = await setting(['--heart-beat', '1000,0']);
    const { victim, bodies, silent } = all;
    await everybodyHears(all, 1);
    const there = await sessionsAt(victim.real);
    expect(there).toBeGreaterThan(0);
    // Connections that are open already: what comes on them is read before the end of the links that comes later.
    await Promise.all(USERS.map(() => sessionsAt(victim.real)));
    const stoppedAtMs = nowMs();
    victim.real.process.signal('SIGSTOP');
    // What producers that know nothing of Holdfast say to the pod meanwhile: it delivers that when it wakes.
    const late = USERS.map((user) => postTo(victim.real, user));
    const { users, ms } = await moved(all, there, stoppedAtMs);
    expect(ms).toBeLessThan(MOVED_WITHIN_MS);
    expect(Math.max(...silent)).toBeLessThan(NOTICED_WITHIN_MS);
    await everybodyHears(all, 2);
    victim.real.process.signal('SIGCONT');
    // The pod believes that it has delivered to those who were there.
    expect((await Promise.all(late)).filter((status) => status === 200).length).toBeGreaterThan(0);
    // The sessions go back to the pod that owns them; that is a planned move, and so without a loss.
    await everybodyHears(all, 3);
    await sleep(2_000);
    for (const user of users) expect(bodies).not.toContain(`${user} ${LATE}`);
    noFault(all);
  },
  TIMEOUT_MS,
);

const LATE = 1_000_000;

async function postTo({ address }: FleetPod, user: string): Promise<number> {
  const url = `http://${address}/users/${user}/messages?destination=${DESTINATION}`;
  const answer = await fetch(url, { method: 'POST', body: JSON.stringify({ n: LATE }) });
  await answer.text();
  return answer.status;
}

test(
  'a connection that is half open is left within 5 s',
  async () => {
    const all = await setting();
    const { victim, silent } = all;
    await everybodyHears(all, 1);
    const there = await sessionsAt(victim.real);
    const swallowedAtMs = nowMs();
    await victim.door.fault({ kind: 'half-open' });
    const { ms } = await moved(all, there, swallowedAtMs);
    expect(ms).toBeLessThan(MOVED_WITHIN_MS);
    expect(Math.max(...silent)).toBeLessThan(NOTICED_WITHIN_MS);
    await everybodyHears(all, 2);
    await victim.door.fault({ kind: 'none' });
    await everybodyHears(all, 3);
    noFault(all);
  },
  TIMEOUT_MS,
);
