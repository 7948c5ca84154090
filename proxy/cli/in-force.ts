import { stringify } from 'yaml';
import type { InForce } from '../config/index.ts';

const COMMENT_COLUMN = 44;

/**
 * The configuration in force as YAML that could be given back as a file, with a comment that says where each value comes
 * from. Keys without a value stand as comments. No value is a secret: secrets stand in files that are named.
 */
export function inForceYaml(values: readonly InForce[]): string {
  const lines = ['# What is in force, and where it comes from.'];
  let section = '';
  for (const { key, value, from } of values) {
    const here = key.path.slice(0, -1).join('.');
    if (here !== '' && here !== section) lines.push(`${here}:`);
    section = here;
    lines.push(line(here === '' ? '' : '  ', key.path.at(-1) ?? '', value, from));
  }
  return `${lines.join('\n')}\n`;
}

function line(indent: string, name: string, value: unknown, from: string): string {
  if (value === undefined) return `${indent}# ${name}:`;
  const text = stringify(value, { collectionStyle: 'flow', lineWidth: 0 }).trim();
  return `${`${indent}${name}: ${text}`.padEnd(COMMENT_COLUMN)}  # ${from}`;
}
