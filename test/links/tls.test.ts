/** Pods that take TLS only, from a client's message to its answer. */
import { setDefaultCACertificates } from 'node:tls';
import { expect, test } from 'vitest';
import { makeAuthority } from '../discovery/fake-api/index.ts';
import { RawClient, textOf } from '../support/client.ts';
import { startProxy } from '../support/proxy.ts';
import { scriptedPod } from '../support/scripted-pod.ts';

const authority = makeAuthority();
setDefaultCACertificates([authority.caPem]);

const podOf = async ({ issue }: Pick<typeof authority, 'issue'>) => {
  const { certPem: cert, keyPem: key } = issue();
  return scriptedPod('pod-1', { tls: { cert, key } });
};
const FLAGS = ['--backend-tls', '--backend-profile', 'custom'];

test('frames of any size pass both ways, numbered or not', async () => {
  const pod = await podOf(authority);
  const proxy = await startProxy([pod], FLAGS);
  const client = await RawClient.connect(proxy.ws, { user: 'alice' });
  const link = await pod.link(0);
  const small = 'm'.repeat(100);
  const large = 'l'.repeat(60_000);
  const said = 's'.repeat(50_000);
  client.send('SEND', { destination: '/a' }, said);
  expect(textOf(await link.frame('SEND'))).toBe(said);
  for (const [body, numbered] of [
    [small, {}],
    [large, { 'holdfast-id': 'a', 'holdfast-seq': 's:1' }],
    [small, { 'holdfast-id': 'b', 'holdfast-seq': 's:2' }],
    ['a repeat', { 'holdfast-id': 'b', 'holdfast-seq': 's:2' }],
    [large, {}],
  ] as const) {
    link.send('MESSAGE', { subscription: '1', 'message-id': '1', destination: '/a', ...numbered }, body);
  }
  expect(await client.bodies(4)).toEqual([small, large, small, large]);
});

test('a pod with the certificate of somebody else gets no session', async () => {
  const pod = await podOf(makeAuthority('Somebody else'));
  const proxy = await startProxy([pod], FLAGS);
  const client = RawClient.connect(proxy.ws, { user: 'alice' });
  client.catch(() => {}); // ends with the proxy
  const { why } = await proxy.line(({ msg }) => msg === 'link failed: another one is tried');
  expect(why).toMatch(/certificate/);
  expect(pod.links).toEqual([]);
});
