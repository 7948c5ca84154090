/** The configuration files that the manifests bring: right for the published schema, for the loader, and for who reads them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../proxy/config/index.ts';
import { checkOf } from './json-schema.ts';
import { folder, PROXY_ENV, root } from './names.ts';

const problemsIn = checkOf(JSON.parse(readFileSync(join(root, 'docs/config.schema.json'), 'utf8')));

function load(file: string, change: (text: string) => string = (text) => text) {
  const readFile = (path: string) => change(readFileSync(join(folder, path), 'utf8'));
  return loadConfig({ argv: ['--config', file], env: PROXY_ENV, readFile });
}

describe.each(['base/holdfast.yaml', 'overlays/spring/holdfast.yaml'])('%s', (file) => {
  test('fits docs/config.schema.json', () => {
    expect(problemsIn(parse(readFileSync(join(folder, file), 'utf8')))).toEqual([]);
  });

  test('is taken by the loader, and listens where the Deployment says', () => {
    expect(load(file)).toMatchObject({
      ok: true,
      config: {
        listen: { host: '0.0.0.0', port: 8080 },
        admin: { host: '0.0.0.0', port: 9090 },
        kubernetes: { namespace: 'chat', service: 'backend', portName: 'http' },
      },
    });
  });

  test('a key that is misspelt is seen by both', () => {
    const misspell = (text: string) => text.replace('admit-after', 'admit-afer');
    expect(problemsIn(parse(misspell(readFileSync(join(folder, file), 'utf8'))))).toEqual([
      '/topology must NOT have additional properties: admit-afer',
    ]);
    expect(load(file, misspell)).toMatchObject({ ok: false, problems: [{ key: 'topology.admit-afer' }] });
  });
});

test('the base warns of nothing, the example for trying out says that it believes everybody', () => {
  expect(load('base/holdfast.yaml')).toMatchObject({ warnings: [] });
  expect(load('overlays/spring/holdfast.yaml')).toMatchObject({
    warnings: [expect.stringContaining('whoever reaches this port can be any user')],
  });
});
