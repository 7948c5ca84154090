/** What must be true at the end: when all is well again everything is in its place, nothing leaked, and no loss was hidden. */
import type { SimClient } from './client.ts';
import { QUEUE, type Sent } from './producers.ts';
import { NEWS, TICKER } from './settings.ts';
import { must } from './violation.ts';
import type { World } from './world.ts';

export function checkHealed(world: World): void {
  const { routing, producers } = world;
  const { governed } = routing;
  const idle = governed.astray + governed.inFlight + governed.queued === 0;
  must(idle, 'after healing nothing is on its way', () => JSON.stringify(governed));
  const followed = routing.committed.version === routing.target.version;
  must(followed, 'after healing the ring is committed', () => `${routing.committed.keys} and ${routing.target.keys}`);
  must(producers.queued === 0, 'after healing producers are done', () => `${producers.queued} messages wait`);
  for (const client of world.clients) if (!client.isOver) checkAtHome(world, client);
  checkWires(world);
}

function checkAtHome(world: World, { id, user, session, shell }: SimClient): void {
  const owner = world.routing.podOf(world.routing.target.owner(user) ?? '');
  const at = session.pod?.id;
  must(
    at !== undefined && at === owner?.id,
    'after healing at home',
    () => `client ${id} is at ${at}, not ${owner?.id}`,
  );
  const { bytes } = session.held;
  must(bytes === 0, 'after healing nothing is held', () => `client ${id} holds ${bytes} bytes`);
  const open = [...shell.links.values()].filter(({ state }) => state === 'open' || state === 'dialing');
  const [only] = open;
  must(
    open.length === 1 && only?.route === (world.plan.work === undefined ? 'pass' : 'ask'),
    'after healing one link',
    () => `client ${id}: ${JSON.stringify(open)}`,
  );
  must(!shell.clientPaused && only?.paused === false, 'after healing both are read', () => `client ${id}`);
  const deadline = session.nextDeadline();
  must(deadline === undefined, 'after healing nothing is awaited', () => `client ${id}: ${deadline?.why}`);
}

/**
 * Each pod has just the links of those who live there, with the subscriptions that they have. Of Spring's simple broker that is not
 * asked: SUBSCRIBE and UNSUBSCRIBE that had to wait in the proxy go out together, and its threads may take the second one first.
 */
function checkWires(world: World): void {
  const wires = world.pods.flatMap((pod) => [...pod.wires]);
  const living = world.clients.filter(({ isOver }) => !isOver);
  must(wires.length === living.length, 'no link leaks', () => `${wires.length} links of ${living.length} sessions`);
  for (const wire of wires) {
    const client = living.find((each) => each === wire.listener);
    must(client !== undefined, 'no link leaks', () => `of ${wire.user}, who has left`);
    if (client === undefined || world.profile === 'settle') continue;
    const [there, wanted] = [[...wire.subscriptions.keys()], [...client.subscriptions.ofPrimary()]].map((ids) =>
      ids.sort().join(),
    );
    must(
      there === wanted,
      'the pod has the client’s subscriptions',
      () => `client ${client.id}: ${there}, not ${wanted}`,
    );
  }
}

/**
 * A message may be missing only where a gap was announced after it was sent. When sessions of one user are at different pods for
 * a while, a producer finds one of them: that is not asked of such users.
 */
export function checkMessages(world: World): void {
  for (const [user, sent] of world.sent) {
    const clients = world.clients.filter((client) => client.user === user);
    checkOutcomes(world, user, sent, clients);
    if (world.split.has(user) || (world.plan.crashes && clients.length > 1)) continue;
    for (const client of clients) checkLoss(world, client, `/user${QUEUE}`, sent);
  }
  for (const client of world.clients) {
    if (world.plan.fanout) checkLoss(world, client, NEWS, world.news);
    if (!world.plan.ticker) continue;
    for (const [producer, ticks] of Object.entries(world.ticks))
      checkLoss(world, client, `${TICKER} of ${producer}`, ticks, TICKER);
  }
}

function checkOutcomes(world: World, user: string, sent: readonly Sent[], clients: readonly SimClient[]): void {
  const hasLeft = clients.some(({ isOver }) => isOver);
  for (const { n, outcome } of sent) {
    must(outcome !== undefined, 'every message ends', () => `message ${n} for ${user}`);
    const isExpected = outcome === 'delivered' || world.plan.crashes || hasLeft;
    must(isExpected, 'planned changes deliver everything', () => `message ${n} for ${user} is ${outcome}`);
    if (outcome !== 'offline') continue;
    const seen = clients.find(({ inbox }) => inbox.delivered.get(`/user${QUEUE}`)?.includes(n));
    must(seen === undefined, 'offline means that nobody saw it', () => `client ${seen?.id} saw message ${n}`);
  }
}

/** Every job is done in the end, while there is somebody to do it. */
export function checkWork(world: World): void {
  for (const [user, queue] of world.queues) {
    const isServed = world.clients.some((client) => client.user === user && !client.isOver);
    must(queue.open === 0 || !isServed, 'every job is done', () => `${queue.open} jobs of ${user} are not`);
  }
}

function checkLoss(
  world: World,
  client: SimClient,
  destination: string,
  sent: readonly Sent[],
  subscribed = destination,
): void {
  if (client.isOver) return;
  const { inbox, id } = client;
  const mayLose = world.plan.crashes || world.plan.exclusive;
  const isQuiet = mayLose || world.profile === 'settle' || inbox.unprovenAtMs.length <= client.timesApart;
  must(isQuiet, 'planned moves are proven', () => `client ${id} was told of a gap at ${inbox.unprovenAtMs}`);
  const seen = new Set(inbox.delivered.get(destination));
  const sinceMs = client.listensSinceMs.get(subscribed) ?? Number.POSITIVE_INFINITY;
  const isTold = mayLose || client.timesApart > 0;
  const announcedMs = isTold ? Math.max(...inbox.unprovenAtMs, Number.NEGATIVE_INFINITY) : -1;
  for (const { n, atMs, outcome } of sent) {
    const isLost = outcome === 'delivered' && atMs >= sinceMs && !seen.has(n);
    must(!isLost || announcedMs >= atMs, 'no loss is hidden', () => {
      return `client ${id} never got message ${n} of ${destination}, sent at ${atMs.toFixed(1)}`;
    });
  }
}

/**
 * SEND with a receipt: taken at least once. Without one: at most once. In a transaction: once. Without crashes all exactly once. A
 * receipt: once.
 */
export function checkSends(world: World): void {
  const { crashes } = world.plan;
  const gone = new Set(world.clients.filter(({ isOver }) => isOver).map(({ id }) => `${id}`));
  for (const [body, times] of world.taken) {
    const [kind = '', id = ''] = [body[0], body.slice(1).split('-')[0]];
    const isTransaction = kind === 't' || kind === 'l';
    const least = gone.has(id) || (crashes && kind === 'p') ? 0 : 1;
    const most = crashes && kind === 'r' && !isTransaction ? Number.POSITIVE_INFINITY : 1;
    const isRight = times >= least && times <= most;
    must(isRight, 'each SEND is taken', () => `${body} was taken ${times} times, not ${least} to ${most}`);
  }
  for (const { id, isOver, inbox } of world.clients) {
    for (const [receipt, times] of inbox.receipts) {
      must(isOver || times === 1, 'each receipt once', () => `client ${id}: ${times} receipts ${receipt}`);
    }
  }
}
