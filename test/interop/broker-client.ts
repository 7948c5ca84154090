/** Raw STOMP clients of a broker, for tests that look at frames one by one. */
import type { Frame } from '../../stomp/index.ts';
import { type Close, RawClient, textOf } from '../backend/tools.ts';

export { RawClient, textOf } from '../backend/tools.ts';

/** ws://… where it speaks STOMP. */
interface Server {
  readonly url: string;
}

/** CONNECTED as whoever has no login is to the broker (RabbitMQ: guest); beats are asked of neither side. */
export function connected(server: Server, headers: Readonly<Record<string, string>> = {}): Promise<RawClient> {
  return RawClient.connect(server.url, { text: true }, { 'accept-version': '1.2', 'heart-beat': '0,0', ...headers });
}

/** CONNECTED and subscribed with id `s`. */
export async function subscribed(
  server: Server,
  destination: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawClient> {
  const client = await connected(server);
  await client.subscribe(destination, { id: 's', ...headers });
  return client;
}

/** How the connection ends, if nothing else comes before: RabbitMQ ends each frame with a line end, which is a heart-beat, too. */
export async function endOf(client: RawClient): Promise<Close | Frame> {
  let item = await client.next();
  while (item === 'beat') item = await client.next();
  return item;
}

/** A frame as a line: COMMAND name:value … |body */
export function line(frame: Frame): string {
  const headers = Array.from(frame.headers(), ([name, value]) => `${name}:${value}`);
  return [frame.command, ...headers, `|${textOf(frame)}`].join(' ');
}

/** The next messages; nothing else may come between them. */
export async function messages(client: RawClient, count: number): Promise<Frame[]> {
  const frames: Frame[] = [];
  while (frames.length < count) frames.push(await client.frame('MESSAGE'));
  return frames;
}

const PROBE = 'probe ';
const PROBE_MS = 10;
let lastProbe = 0;

/** Resolves when what `producer` sends reaches `listener`: brokers tell each other of subscriptions by and by. */
export async function spread(producer: RawClient, destination: string, listener: RawClient): Promise<void> {
  const probe = `${PROBE}${++lastProbe}`;
  const probing = setInterval(() => producer.send('SEND', { destination }, probe), PROBE_MS);
  await heard(listener, probe).finally(() => clearInterval(probing));
}

/** The first message with that body. */
export async function heard(client: RawClient, body: string): Promise<Frame> {
  const frame = await client.frame('MESSAGE');
  return textOf(frame) === body ? frame : heard(client, body);
}

/** Bodies of the next messages, probes left out. */
export async function heardOf(client: RawClient, count: number): Promise<string[]> {
  const bodies: string[] = [];
  while (bodies.length < count) {
    const body = textOf(await client.frame('MESSAGE'));
    if (!body.startsWith(PROBE)) bodies.push(body);
  }
  return bodies;
}
