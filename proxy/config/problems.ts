import { fromText, type Key, toText } from './keys.ts';
import { nearest, plain } from './nearest.ts';
import { NotAllowed } from './values.ts';

/** `where` of what is missing. */
export const NOWHERE = 'configuration';

export interface ConfigProblem {
  /** The key (`handover.drain-max`), or what was given in place of one. */
  readonly key: string;
  /** Where it stands: `holdfast.yaml:3:5`, `--listen`, `HOLDFAST_LISTEN`; NOWHERE for what is missing. */
  readonly where: string;
  /** What is wrong, what is allowed, what to do. */
  readonly message: string;
}

/** A value that one layer gives to a key, in the shape of YAML. */
export interface Setting {
  readonly key: Key;
  readonly value: unknown;
  readonly layer: 'file' | 'variable' | 'flag';
  /** Why text could not be brought into the shape of the key; `value` is that text. */
  readonly misshapen?: string;
  /** Where the value stands, or the item of it that the path leads to. */
  readonly at: (itemPath?: readonly PropertyKey[]) => string;
}

/** What one layer (file, variables, flags) gives. */
export interface Layer {
  readonly settings: readonly Setting[];
  readonly problems: readonly ConfigProblem[];
}

/** The setting that the text of a flag or variable makes. */
export function settingOf(key: Key, layer: 'variable' | 'flag', where: string, text: string): Setting {
  const at = () => where;
  try {
    return { key, layer, at, value: fromText(key.shape, text) };
  } catch (error) {
    if (!(error instanceof NotAllowed)) throw error;
    return { key, layer, at, value: text, misshapen: error.message };
  }
}

/** A value as messages show it: short, in one line, without the password of an address. */
export function shown(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  const text = JSON.stringify(redacted(value));
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}

/** Takes user name and password out of every address in a value. */
export function redacted<T>(value: T): T {
  if (typeof value === 'string') return value.replace(/(:\/\/)[^/@\s]*@/g, '$1***@') as T;
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(redacted) as T;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, redacted(item)])) as T;
}

/** The example is written as the layer writes values. */
export function badValue(
  key: Key,
  layer: Setting['layer'],
  where: string,
  value: unknown,
  message: string,
): ConfigProblem {
  const written =
    layer === 'file' && typeof key.example === 'object' ? JSON.stringify(key.example) : toText(key.example);
  const example = key.example === undefined ? '' : `; example: ${written}`;
  return { key: key.name, where, message: `${shown(value)} ${message}${example}` };
}

/** `written` has the name of each key that exists and how the layer writes it. */
export function unknownKey(key: string, where: string, written: ReadonlyMap<string, string>): ConfigProblem {
  const near = nearest(key.replace(/^(--|HOLDFAST_)/, ''), written.keys());
  const hint = near === undefined ? '`holdfast serve --help` lists them all' : `did you mean ${written.get(near)}?`;
  return { key, where, message: `there is no such key; ${hint}` };
}

/** One line each, under a headline, for stderr. A flag or variable that is the key's own says the key already. */
export function formatProblems(problems: readonly ConfigProblem[]): string {
  const headline = problems.length === 1 ? 'a problem' : `${problems.length} problems`;
  const lines = problems.map(({ key, where, message }) => {
    if (where === NOWHERE || where === key) return `  ${key}: ${message}`;
    return isOwn(key, where) ? `  ${where}: ${message}` : `  ${where}: ${key}: ${message}`;
  });
  return [`holdfast: ${headline} in the configuration`, ...lines, ''].join('\n');
}

function isOwn(key: string, where: string): boolean {
  return plain(where.replace(/^(--|HOLDFAST_)/, '')) === plain(key);
}
