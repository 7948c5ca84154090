/** Raw STOMP clients of RabbitMQ, for tests that look at frames one by one. */
import type { Frame } from '../../stomp/index.ts';
import { type Close, RawClient, textOf } from '../backend/tools.ts';
import type { RabbitNode } from './rabbitmq.ts';

export { RawClient, textOf } from '../backend/tools.ts';

/** CONNECTED as guest, which is who has no login; beats are asked of neither side. */
export function connected(node: RabbitNode, headers: Readonly<Record<string, string>> = {}): Promise<RawClient> {
  return RawClient.connect(node.url, {}, { 'accept-version': '1.2', 'heart-beat': '0,0', ...headers });
}

/** CONNECTED and subscribed with id `s`. */
export async function subscribed(
  node: RabbitNode,
  destination: string,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawClient> {
  const client = await connected(node);
  await client.subscribe(destination, { id: 's', ...headers });
  return client;
}

/** How the connection ends, if nothing else comes before: each frame ends with a line end, which is a heart-beat, too. */
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

/** The number at the end of an id: which delivery of its connection it is. */
export function tagOf(id: string | undefined): number {
  return Number(/@@(\d+)$/.exec(id ?? '')?.[1]);
}
