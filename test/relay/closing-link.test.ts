/** A pod that closes takes nothing more: what the client says meanwhile goes to the next one. */
import type { Duplex } from 'node:stream';
import { expect, test } from 'vitest';
import { RawClient, textOf } from '../support/client.ts';
import { eventually, startProxy } from '../support/proxy.ts';
import { type PodLink, scriptedPod } from '../support/scripted-pod.ts';

const CLOSE_1001 = Buffer.from([0x88, 0x02, 0x03, 0xe9]);

/** The pod says its close frame and leaves the connection open, as one does that is slow to end. */
function closesSlowly({ request }: PodLink): Duplex {
  request.socket.pause();
  request.socket.write(CLOSE_1001);
  return request.socket;
}

const sends = (links: readonly PodLink[]) =>
  links.flatMap(({ frames }) => frames.filter(({ command }) => command === 'SEND').map(textOf));

test('SENDs between the close frame of a pod and the end of its connection are not lost', async () => {
  const pods = [await scriptedPod('pod-1'), await scriptedPod('pod-2')];
  const proxy = await startProxy(pods.slice(0, 1));
  const client = await RawClient.connect(proxy.ws, { user: 'alice' });
  const link = await pods[0]?.link(0);
  if (link === undefined) throw new Error('no link');
  proxy.setPods(pods);
  const socket = closesSlowly(link);
  const sent: string[] = [];
  while (!proxy.lines.some(({ msg }) => msg.startsWith('link lost'))) {
    sent.push(`${sent.length}`);
    client.send('SEND', { destination: '/a' }, `${sent.length - 1}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  socket.resume();
  await eventually(() => expect(sends(pods.flatMap(({ links }) => links))).toEqual(sent));
});
