/** One world from its plan: trouble for a while, safe at every step; then all is well again, and must become so. */
import type { SimClient } from './client.ts';
import { ACTS, join } from './faults.ts';
import { CALM_MS, type Plan, type Saying, TROUBLE_MS } from './plan.ts';
import { checkHealed, checkMessages, checkSends, checkWork } from './rules.ts';
import { Violation } from './violation.ts';
import { World } from './world.ts';

/** Longer than the longest wait of any part: a message's time to live, a pod's suspicion, a commit that is held up. */
const HEAL_MS = 60_000;

export interface Outcome {
  readonly steps: number;
  readonly virtualMs: number;
  readonly violation: Violation | undefined;
}

/** Never throws: what a plan breaks is its outcome. */
export async function simulate(plan: Plan, trace?: (text: string) => void): Promise<Outcome> {
  const world = new World(plan, trace);
  let violation: Violation | undefined;
  try {
    await run(world);
  } catch (error) {
    const thrown = error instanceof Error ? error : new Error(String(error));
    violation = thrown instanceof Violation ? thrown : new Violation(`thrown: ${thrown.message}`, thrown.stack ?? '');
    trace?.(`${world.agenda.now.toFixed(1).padStart(8)} BROKEN ${violation.message}`);
  }
  return { steps: world.agenda.steps, virtualMs: world.agenda.now, violation };
}

async function run(world: World): Promise<void> {
  const { agenda, plan } = world;
  for (let i = 0; i < plan.pods; i++) world.addPod(`pod-${i}`);
  world.feed.changed();
  for (const user of plan.users) for (let i = 0; i < user.sessions; i++) world.addClient(user.name);
  schedule(world);
  await agenda.runUntil(CALM_MS + TROUBLE_MS, NOTHING);
  const lastMs = Math.max(0, ...plan.faults.map(({ atMs, ms }) => atMs + 2 * ms));
  await agenda.runUntil(Math.max(agenda.now, lastMs), NOTHING);
  heal(world);
  await agenda.runUntil(agenda.now + HEAL_MS, NOTHING);
  checkHealed(world);
  checkMessages(world);
  checkSends(world);
  checkWork(world);
}

/** Every rule of safety is asked where something happens: on arrival at a client, and after each event of a session. */
const NOTHING = () => {};

function schedule(world: World): void {
  const { agenda, plan } = world;
  for (const fault of plan.faults) {
    agenda.at(fault.atMs, () => {
      world.log(() => `fault ${fault.kind}`);
      ACTS[fault.kind](world, fault);
    });
  }
  for (const { name, isLocal, messagesAtMs } of plan.users) {
    for (const ms of messagesAtMs) agenda.at(ms, () => world.produce(name, isLocal));
  }
  if (plan.fanout) for (let ms = CALM_MS; ms < CALM_MS + TROUBLE_MS; ms += 120) agenda.at(ms, () => world.broadcast());
  if (plan.ticker)
    for (let ms = CALM_MS; ms < CALM_MS + TROUBLE_MS; ms += 40)
      agenda.at(ms, () => world.tick(world.dice.chance(0.5) ? 'p' : 'q'));
  plan.sayings.forEach((saying, index) => {
    agenda.at(saying.atMs, () => say(world, saying, index));
  });
}

/** Where the hold is small a frame of this size fills it. */
const PADDING = 'x'.repeat(1_024);

/** Spring's simple broker answers no receipts, so its clients ask for none. */
function say(world: World, { client: index, what }: Saying, n: number): void {
  const client = world.clients[index];
  if (client === undefined || client.isOver) return;
  const answered = world.profile === 'receipt';
  const padding = world.plan.holdBytes <= PADDING.length ? ` padding:${PADDING}` : '';
  switch (what) {
    case 'send':
      return client.send(`SEND destination:/x${padding} | p${client.id}-${n}`);
    case 'send-receipt':
      if (!answered) return client.send(`SEND destination:/x${padding} | p${client.id}-${n}`);
      return client.send(`SEND destination:/x receipt:r${n}${padding} | r${client.id}-${n}`);
    case 'subscribe':
      return client.subscribe(n, answered);
    case 'unsubscribe':
      return client.unsubscribe();
    case 'transaction':
      if (!answered) return;
      if (world.plan.crashes) world.allowEnd(client, 'continuity');
      client.send(`BEGIN transaction:t${n}`);
      client.send(`SEND destination:/x transaction:t${n} | t${client.id}-${n}`);
      return client.send(`COMMIT transaction:t${n} receipt:c${n}`);
    case 'long-transaction':
      if (answered) longTransaction(world, client, n);
      return;
    case 'job':
      world.work(client.user)?.put(`${++world.jobs}`);
      return;
  }
}

/** Open for longer than a handover takes, often, and now and then than it waits. Only COMMIT may end it with the session. */
function longTransaction(world: World, client: SimClient, n: number): void {
  const { agenda, dice } = world;
  const say = (text: string) => {
    if (!client.isOver) client.send(text);
  };
  if (world.plan.crashes) world.allowEnd(client, 'continuity');
  say(`BEGIN transaction:l${n}`);
  say(`SEND destination:/x transaction:l${n} receipt:l${n}a | l${client.id}-${n}-a`);
  agenda.after(dice.between(0, 200), () => say(`SEND destination:/x transaction:l${n} | l${client.id}-${n}-b`));
  agenda.after(dice.between(200, 2_500), () => say(`COMMIT transaction:l${n} receipt:l${n}c`));
}

function heal(world: World): void {
  world.log(() => 'all is well again');
  world.ambushes.length = 0;
  for (const pod of [...world.pods]) if (!pod.isAlive) world.removePod(pod);
  join(world);
  world.feed.relist();
}
