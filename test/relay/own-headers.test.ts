/** What only producers and the proxy may say. */
import { expect, test } from 'vitest';
import { RawClient, textOf } from '../support/client.ts';
import { startProxy } from '../support/proxy.ts';
import { scriptedPod } from '../support/scripted-pod.ts';

test.each([
  ['holdfast-user', []],
  ['x-account', ['--identity-header', 'x-account']],
  ['holdfast-id', []],
  ['holdfast-seq', []],
  ['holdfast-replay', []],
  ['x-id', ['--dedup-header', 'x-id']],
])('a client cannot say %s in any frame; the rest of it passes', async (name, flags) => {
  const pod = await scriptedPod('pod-1');
  const proxy = await startProxy([pod], flags);
  const client = await RawClient.connect(proxy.ws, { user: 'alice' });
  const link = await pod.link(0);
  for (const command of ['SEND', 'SUBSCRIBE', 'UNSUBSCRIBE']) {
    client.send(command, { id: 1, destination: '/a', [name]: 'bob', kept: 'yes' });
    const frame = await link.frame(command);
    expect([frame.header(name), frame.header('kept'), textOf(frame)]).toEqual([undefined, 'yes', '']);
  }
});
