import { Option } from 'commander';
import { type Key, keys, sections, toText } from '../config/index.ts';

/** The flags of the configuration as `--help` shows them; they are read by loadConfig, which tells every mistake at once. */
export function configOptions(): Option[] {
  const file = new Option(
    '--config <FILE>',
    'YAML file with these keys; a flag goes before the variable HOLDFAST_…, that before the file',
  );
  return [file.helpGroup('Configuration:'), ...keys.map(option)];
}

function option(key: Key): Option {
  const value = key.shape === 'boolean' ? '' : ` <${key.placeholder}>`;
  const fallback = key.fallback === undefined ? '' : ` (default ${toText(key.fallback)})`;
  return new Option(`--${key.flag}${value}`, `${key.description}${fallback}`).helpGroup(heading(key));
}

function heading(key: Key): string {
  const name = key.path.slice(0, -1).join('.');
  const section = sections.find((candidate) => candidate.name === name);
  return name === '' || section === undefined ? 'Configuration:' : `${name}: ${section.description}`;
}
