import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { keys, loadConfig, sections } from '../../proxy/config/index.ts';
import { configJsonSchema, configJsonSchemaText } from '../../proxy/config/json-schema.ts';

interface Published {
  properties?: Record<string, Published>;
  additionalProperties?: boolean;
  description?: string;
  default?: unknown;
  examples?: unknown[];
}

const published = configJsonSchema() as Published;

function at(path: readonly string[]): Published | undefined {
  return path.reduce<Published | undefined>((schema, name) => schema?.properties?.[name], published);
}

test('docs/config.schema.json is current; tools/config-schema.ts writes it', () => {
  const file = new URL('../../docs/config.schema.json', import.meta.url);
  expect(readFileSync(file, 'utf8')).toBe(configJsonSchemaText());
});

describe('published for each key', () => {
  test.each(keys)('$name: description, default and example', (key) => {
    expect(at(key.path)?.description).toBe(key.description);
    expect(at(key.path)?.default).toEqual(key.fallback);
    expect(key.description).toMatch(/^[A-Z].*\.$/s);
    // Who reads the help must see what to write.
    expect(key.example).toBeDefined();
    if (key.fallback === undefined) expect(at(key.path)?.examples?.[0]).toEqual(key.example);
  });

  test.each(sections)('section "$name": description, no other keys', (section) => {
    expect(at(section.path)?.description).toBe(section.description);
    expect(section.description).not.toBe('');
    expect(at(section.path)?.additionalProperties).toBe(false);
  });
});

test('the published defaults, written to a file, change nothing', () => {
  const file = Object.fromEntries(
    Object.entries(published.properties ?? {}).map(([name, property]) => [name, defaultsOf(property)]),
  );
  const argv = ['--pods', 'a=127.0.0.1:1', '--user', 'header:U'];
  const without = loadConfig({ argv, env: {}, readFile: () => '' });
  const withAll = loadConfig({ argv: [...argv, '--config', 'f'], env: {}, readFile: () => JSON.stringify(file) });
  expect(without.ok && withAll.ok && withAll.config).toEqual(without.ok && without.config);
});

function defaultsOf({ properties, default: value }: Published): unknown {
  if (properties === undefined) return value;
  return Object.fromEntries(Object.entries(properties).map(([name, property]) => [name, defaultsOf(property)]));
}
