/**
 * How often a message is lost that follows a SUBSCRIBE at once, at Spring's simple broker, which does not say when a subscription is
 * live: straight at a pod, and through Holdfast.
 *
 *     npm run push-after-subscribe -- --count 1000
 *
 * Each sequence is a new connection: CONNECT, SUBSCRIBE, and as soon as that is written a message for its user. Prints a line of JSON.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stdout } from 'node:process';
import { parseArgs } from 'node:util';
import { Client } from '@stomp/stompjs';
import { WebSocket } from 'ws';
import { Fleet } from '../experiment/fleet.ts';
import { gatewayPosting, type Posting } from '../experiment/posting.ts';
import { startProxy } from '../experiment/proxy.ts';
import { DOOR, SpringPod } from './spring-pod.ts';

const { values } = parseArgs({ options: { count: { type: 'string', default: '1000' } } });
const COUNT = Number(values.count);
/** What has not come by then will not come: nothing else happens on the machine. */
const LOST_AFTER_MS = 2_000;
const DESTINATION = '/queue/news';

interface Way {
  readonly url: string;
  /** Resolves when the message was taken: the door answers 404 while it does not know the subscription. */
  readonly push: (user: string) => Promise<boolean>;
}

interface Tally {
  received: number;
  lost: number;
  refused: number;
}

/** One connection: did the message come that followed its SUBSCRIBE? */
async function sequence({ url, push }: Way, user: string): Promise<keyof Tally> {
  const came = Promise.withResolvers<'received'>();
  const pushed = Promise.withResolvers<boolean>();
  const client = new Client({
    webSocketFactory: () => new WebSocket(url, ['v12.stomp'], { headers: { Username: user } }),
    reconnectDelay: 0,
    onConnect: () => {
      client.subscribe(`/user${DESTINATION}`, () => came.resolve('received'));
      push(user).then(pushed.resolve, pushed.reject);
    },
  });
  client.activate();
  try {
    if (!(await pushed.promise)) return 'refused';
    const timer = Promise.withResolvers<'lost'>();
    const timeout = setTimeout(() => timer.resolve('lost'), LOST_AFTER_MS);
    const outcome = await Promise.race([came.promise, timer.promise]);
    clearTimeout(timeout);
    return outcome;
  } finally {
    await client.deactivate({ force: true });
  }
}

async function sequences(way: Way, name: string): Promise<Tally> {
  const tally = { received: 0, lost: 0, refused: 0 };
  for (let n = 1; n <= COUNT; n++) tally[await sequence(way, `${name}-${n}`)]++;
  return tally;
}

/** As long as the gateway tries a message. */
const TRY_MAX_MS = 10_000;

function straight(address: string): Way {
  const push = async (user: string) => {
    const url = `http://${address}${DOOR.replace('{user}', user).replace('{destination}', encodeURIComponent(DESTINATION))}`;
    const until = performance.now() + TRY_MAX_MS;
    for (;;) {
      const { status } = await fetch(url, { method: 'POST', body: 'hello' });
      if (status !== 404) return status < 300;
      if (performance.now() > until) return false;
    }
  };
  return { url: `ws://${address}/ws/websocket`, push };
}

function through(listenUrl: string, posting: Posting): Way {
  const push = async (user: string) => (await posting.post(user, DESTINATION, 'hello')).outcome === 'delivered';
  return { url: `${listenUrl.replace(/^http/, 'ws')}/ws/websocket`, push };
}

const directory = mkdtempSync(join(tmpdir(), 'holdfast-push-'));
const fleet = new Fleet({ directory, startPod: (name) => SpringPod.start({ name, properties: {} }) });
try {
  const [pod] = await fleet.add(1);
  const proxy = await startProxy({ podsFile: fleet.file, flags: ['--gateway-url', `http://{address}${DOOR}`] });
  const posting = gatewayPosting(proxy.adminUrl);
  try {
    const spring = await sequences(straight(pod?.address ?? ''), 'straight');
    const holdfast = await sequences(through(proxy.listenUrl, posting), 'through');
    stdout.write(`${JSON.stringify({ count: COUNT, straight: spring, holdfast })}\n`);
  } finally {
    posting.close();
    await proxy.stop();
  }
} finally {
  await fleet.stop();
  rmSync(directory, { recursive: true });
}
