/** A client with subscriptions for its own echo, to see that nothing disturbs it. */
import { RawClient } from '../backend/tools.ts';

export { RawClient, stompJs, textOf } from '../backend/tools.ts';

/** Connected to an echo application, subscribed to its answers. */
export async function echoClient(url: string, user: string): Promise<RawClient> {
  const client = await RawClient.connect(url, { user });
  await client.subscribe('/user/queue/echo');
  return client;
}

/** Sends a text and waits until exactly it comes back. */
export async function echo(client: RawClient, text: string): Promise<void> {
  client.send('SEND', { destination: '/app/echo' }, text);
  const [back] = await client.bodies(1);
  if (back !== text) throw new Error(`sent ${text}, got ${back}`);
}
