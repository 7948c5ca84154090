/** The program of overlays/producers, as it stands in its ConfigMap, at a real gateway with its token. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { RawClient, started } from '../../backend/tools.ts';
import { foreignProgram } from '../../experiment/child.ts';
import { startProxy } from '../../support/proxy.ts';
import { render } from './render.ts';

test('its messages reach the user in order; without the right token nothing does', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'holdfast-producer-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [program, token, wrong] = ['producer.mjs', 'token', 'wrong'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  writeFileSync(program, producerOf());
  writeFileSync(token, 'a-token-of-the-gateway\n');
  writeFileSync(wrong, 'another-one\n');
  const backend = await started();
  const proxy = await startProxy([{ name: 'pod-1', address: backend.address }], ['--gateway-token-file', token]);
  const client = await RawClient.connect(proxy.ws, { user: 'alice' });
  await client.subscribe('/user/queue/news');

  const run = (tokenFile: string) => {
    const env = { GATEWAY: proxy.admin, TOKEN_FILE: tokenFile, USER_NAME: 'alice', DESTINATION: '/queue/news' };
    const child = foreignProgram('the producer', process.execPath, [program], env);
    onTestFinished(() => child.kill());
    return child;
  };
  expect(await run(wrong).line((line) => line)).toContain('unauthorized');
  const said = run(token).line((line) => line);
  expect(await client.bodies(2)).toEqual(['{"n":1}', '{"n":2}']);
  expect(JSON.parse(await said)).toMatchObject({ status: 'delivered', pod: 'pod-1' });
});

function producerOf(): string {
  const map = render('overlays/producers').find(({ metadata }) => metadata.name.startsWith('producer-'));
  const { 'producer.mjs': text = '' } = (map?.['data'] ?? {}) as Record<string, string>;
  return text;
}
