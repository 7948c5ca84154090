import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { alertsOf, hurried, publishedRules, type Rules } from './rules.ts';

/** What promtool says of them. Throws with its words when something is wrong. */
function promtool(rules: Rules): string {
  const directory = mkdtempSync(join(tmpdir(), 'holdfast-rules-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  writeFileSync(join(directory, 'rules.yaml'), stringify(rules));
  return execFileSync('promtool', ['check', 'rules', join(directory, 'rules.yaml')], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
}

describe('promtool', () => {
  const count = alertsOf(publishedRules()).length;

  test('takes the alerts as they are published, and in their hurried form', () => {
    expect(promtool(publishedRules())).toContain(`SUCCESS: ${count} rules found`);
    expect(promtool(hurried(publishedRules(), 20))).toContain(`SUCCESS: ${count} rules found`);
  });

  test('sees an expression that is none', () => {
    const broken = JSON.parse(
      JSON.stringify(publishedRules()).replace('absent(holdfast_clients)', 'absent(holdfast_clients'),
    );
    expect(() => promtool(broken)).toThrow(/unclosed left parenthesis/);
  });
});

test('hurrying shortens spans and nothing else', () => {
  const [promises] = publishedRules().groups;
  const rule = { ...(promises?.rules[0] as never as object), expr: 'changes(x[15m]) > 60', for: '1m' } as never;
  expect(hurried({ groups: [{ name: 'g', rules: [rule] }] }, 20).groups[0]?.rules[0]).toMatchObject({
    expr: 'changes(x[45000ms]) > 60',
    for: '3000ms',
  });
});

test.each(alertsOf(publishedRules()).map((rule) => [rule.alert, rule] as const))(
  '%s says how bad it is, what happened, and what to do',
  (name, { labels, annotations }) => {
    expect(name).toMatch(/^Holdfast[A-Z]/);
    expect(['warning', 'critical']).toContain(labels.severity);
    expect(annotations.summary).toMatch(/\.$/);
    expect(annotations.description.length).toBeGreaterThan(40);
  },
);
