/** One random walk: trouble for a while, then everything is well again and all must be where it belongs. */
import type { SimClient } from './client.ts';
import type { SimPod } from './pods.ts';
import type { SimProducer } from './producer.ts';
import { World } from './world.ts';

const CALM_MS = 1_000;
const TROUBLE_MS = 5_000;
const HEAL_MS = 60_000;

/** @param crashes whether pods crash and links break; without, nothing at all may be lost, and every move is proven */
export function walk(seed: number, crashes: boolean, trace?: (text: string) => void): void {
  const world = new World(seed, trace);
  const { agenda, dice } = world;
  for (let i = 0; i < dice.between(3, 5); i++) world.addPod(`pod-${i}`);
  world.publish();
  for (const user of ['ann', 'bob', 'eve']) {
    for (let i = dice.chance(0.3) ? 2 : 1; i > 0; i--) world.addClient(user);
    world.addProducer(user, dice.chance(0.5), CALM_MS, CALM_MS + TROUBLE_MS);
  }
  const check = () => checkSafety(world);
  agenda.runUntil(CALM_MS, check);
  chatter(world);
  for (let ms = CALM_MS; ms < CALM_MS + TROUBLE_MS; ms += dice.between(50, 900))
    agenda.at(ms, () => disturb(world, crashes));
  agenda.runUntil(CALM_MS + TROUBLE_MS, check);
  heal(world);
  agenda.runUntil(CALM_MS + TROUBLE_MS + HEAL_MS, check);
  checkHealed(world);
  for (const producer of world.producers) checkLoss(world, producer, crashes);
  checkSends(world, crashes);
}

/** Clients send, with and without receipts, and subscribe and unsubscribe. */
function chatter(world: World): void {
  const { agenda, dice } = world;
  for (const client of world.clients) {
    let n = 0;
    for (let ms = CALM_MS; ms < CALM_MS + TROUBLE_MS; ms += dice.between(50, 600)) {
      agenda.at(ms, () => {
        const body = `${client.id}-${++n}`;
        if (n % 7 === 0) client.send(`SUBSCRIBE id:t${n} destination:/topic/t receipt:s${body}`);
        else if (n % 7 === 3 && n > 7) client.send(`UNSUBSCRIBE id:t${n - 3}`);
        else
          client.send(
            n % 2 === 0 ? `SEND destination:/x | p${body}` : `SEND destination:/x receipt:r${body} | r${body}`,
          );
      });
    }
  }
}

const PLANNED: readonly ((world: World, pod: SimPod) => void)[] = [
  (world, pod) => setState(world, pod, 'draining'),
  (world, pod) => setState(world, pod, 'draining'),
  (world, pod) => setState(world, pod, pod.state === 'unready' ? 'serving' : 'unready'),
  (world) => join(world),
  (world) => join(world),
  (_, pod) => {
    pod.refuses = !pod.refuses;
  },
  (_, pod) => {
    pod.failsReplay = !pod.failsReplay;
  },
  (world, pod) => {
    pod.connectMs = world.dice.chance(0.5) ? 0 : world.dice.between(100, 1_200);
  },
];

const CRASHES: readonly ((world: World, pod: SimPod) => void)[] = [
  (world, pod) => crash(world, pod),
  (world, pod) => crash(world, pod),
  (world, pod) => world.dice.pick([...pod.wires])?.break({ kind: 'closed', code: 1006, reason: '' }),
  (world, pod) => world.dice.pick([...pod.wires])?.break({ kind: 'closed', code: 1011, reason: '' }),
];

function disturb(world: World, crashes: boolean): void {
  const pod = world.dice.pick(world.pods);
  const act = world.dice.pick(crashes && world.dice.chance(0.4) ? CRASHES : PLANNED);
  if (pod !== undefined) act?.(world, pod);
}

function setState(world: World, pod: SimPod, state: SimPod['state']): void {
  if (pod.state === 'draining') return;
  world.log(`pod ${pod.id} is ${state}`);
  pod.state = state;
  world.publish();
  if (state === 'draining') leaveWhenEmpty(world, pod);
}

/** A pod that drains leaves when nobody is there any more. */
function leaveWhenEmpty(world: World, pod: SimPod): void {
  world.agenda.after(200, () => {
    if (!world.pods.includes(pod)) return;
    if (pod.wires.size > 0 || world.pods.length < 2) return leaveWhenEmpty(world, pod);
    world.log(`pod ${pod.id} leaves`);
    pod.isAlive = false;
    world.pods.splice(world.pods.indexOf(pod), 1);
    world.publish();
  });
}

function join(world: World): void {
  const free = [0, 1, 2, 3, 4].filter((i) => !world.pods.some(({ name }) => name === `pod-${i}`));
  const index = world.dice.pick(free);
  if (index === undefined) return;
  world.addPod(`pod-${index}`);
  world.publish();
}

function crash(world: World, pod: SimPod): void {
  world.log(`pod ${pod.id} crashes`);
  pod.crash(world.dice.chance(0.3) ? 500 : 0);
  world.agenda.after(world.dice.between(0, 2_000), () => {
    if (!world.pods.includes(pod)) return;
    world.pods.splice(world.pods.indexOf(pod), 1);
    if (world.dice.chance(0.7)) world.addPod(pod.name);
    world.publish();
  });
}

function heal(world: World): void {
  world.log('all is well again');
  for (const pod of [...world.pods]) {
    if (!pod.isAlive) world.pods.splice(world.pods.indexOf(pod), 1);
    Object.assign(pod, { refuses: false, failsReplay: false, connectMs: 0 });
    if (pod.state === 'unready') pod.state = 'serving';
  }
  join(world);
  world.publish();
}

function checkSafety(world: World): void {
  for (const { id, session } of world.clients) {
    if (session.ended) throw new Error(`client ${id} was closed`);
  }
}

function checkHealed(world: World): void {
  const { routing } = world;
  const { governed } = routing;
  const at = (what: string) => new Error(`after healing: ${what}`);
  if (governed.astray + governed.inFlight + governed.queued > 0) throw at(JSON.stringify(governed));
  if (routing.committed.version !== routing.target.version) throw at('the committed ring is not the target');
  for (const client of world.clients) checkAtHome(world, client, at);
  for (const { user, isDone } of world.producers) if (!isDone) throw at(`the producer of ${user} is not done`);
}

function checkAtHome(world: World, { id, user, session, shell }: SimClient, at: (what: string) => Error): void {
  const owner = world.routing.podOf(world.routing.target.owner(user) ?? '');
  if (session.pod === undefined || session.pod.id !== owner?.id)
    throw at(`client ${id} is at ${session.pod?.id}, not ${owner?.id}`);
  if (session.held.bytes > 0) throw at(`client ${id} holds ${session.held.bytes} bytes`);
  const open = [...shell.links.values()].filter(({ state }) => state !== 'over');
  if (open.length !== 1 || open[0]?.route !== 'pass') throw at(`client ${id} has ${JSON.stringify(open)}`);
  if (shell.clientPaused || open[0].paused) throw at(`client ${id} is paused`);
}

/**
 * A message may be missing only where a gap was announced after it was sent. After crashes the sessions of one user may be at
 * different pods for a while, and a producer finds one of them: that is checked for users with one session only.
 */
function checkLoss(world: World, { user, sentAtMs }: SimProducer, crashes: boolean): void {
  if (crashes && world.routing.sessionsOf(user) > 1) return;
  for (const { id, delivered, unprovenAtMs, ...client } of world.clients) {
    if (client.user !== user) continue;
    if (!crashes && unprovenAtMs.length > 0) throw new Error(`client ${id}: a planned move was not proven`);
    const seen = new Set(delivered);
    const announcedMs = Math.max(...unprovenAtMs, Number.NEGATIVE_INFINITY);
    sentAtMs.forEach((ms, index) => {
      if (!seen.has(index + 1) && announcedMs < ms)
        throw new Error(`client ${id}: message ${index + 1} is lost and no gap was announced`);
    });
  }
}

/** SEND with a receipt: taken at least once. Without one: at most once. Without crashes both exactly once. A receipt: once. */
function checkSends(world: World, crashes: boolean): void {
  for (const [body, times] of world.taken) {
    const isPlain = body.startsWith('p');
    const isRight = crashes ? (isPlain ? times <= 1 : times >= 1) : times === 1;
    if (!isRight) throw new Error(`SEND ${body} was taken ${times} times`);
  }
  for (const { id, receipts } of world.clients) {
    for (const [receipt, times] of receipts)
      if (times !== 1) throw new Error(`client ${id}: ${times} receipts ${receipt}`);
  }
}
