/** What tests say to the Spring application as its client and as its producer. */
import { RawClient, textOf } from '../backend/tools.ts';
import type { SpringPod } from './spring-pod.ts';

export { RawClient, textOf } from '../backend/tools.ts';

export function connected(pod: SpringPod, user: string): Promise<RawClient> {
  return RawClient.connect(pod.url, { user });
}

/** SUBSCRIBEs with the destination as id. Nothing answers; see `echo`. */
export function subscribe(client: RawClient, destination: string): void {
  client.send('SUBSCRIBE', { id: destination, destination });
}

/**
 * Waits for an echo through the application, which must be the very next frame. Where the application handles the frames of a
 * session in order, this proves that nothing else was answered before, and that all was handled.
 */
export async function echo(client: RawClient, text: string): Promise<void> {
  client.send('SEND', { destination: '/app/echo' }, text);
  const back = textOf(await client.frame('MESSAGE'));
  if (back !== text) throw new Error(`sent ${text}, got ${back}`);
}

/** CONNECTED, and its subscriptions proven live, if the application preserves the order in which it receives. */
export async function listening(pod: SpringPod, user: string, ...destinations: string[]): Promise<RawClient> {
  const client = await connected(pod, user);
  for (const destination of [...destinations, '/user/queue/echo']) subscribe(client, destination);
  await echo(client, 'live');
  return client;
}

export interface Posting {
  readonly user: string;
  readonly destination: string;
  readonly body: string | Uint8Array<ArrayBuffer>;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The status of the producer's door. */
export async function post(pod: SpringPod, { user, destination, body, headers = {} }: Posting): Promise<number> {
  const query = new URLSearchParams({ destination });
  const url = `http://${pod.address}/api/users/${encodeURIComponent(user)}/messages?${query}`;
  const response = await fetch(url, { method: 'POST', body, headers });
  await response.arrayBuffer();
  return response.status;
}
