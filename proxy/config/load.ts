/**
 * Loads the configuration: flags before variables before the file before defaults. Each layer is read and checked on
 * its own, so that everything that is wrong is told at once, also what another layer would cover.
 */
import type { Config } from './config.ts';
import { readFile as readConfigFile } from './file.ts';
import { readFlags } from './flags.ts';
import { type Key, keys } from './keys.ts';
import { badValue, type ConfigProblem, type Layer, type Setting } from './problems.ts';
import { checkRules, warnings } from './rules.ts';
import { schema } from './schema.ts';
import { CONFIG_VARIABLE, readVariables } from './variables.ts';

export interface ConfigSources {
  /** What stands behind the command: `['--listen', '127.0.0.1:8080']`. */
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Throws when the file cannot be read. Only called for the file of --config or HOLDFAST_CONFIG. */
  readonly readFile: (path: string) => string;
}

/** A key with the value in force, as it would stand in YAML, and where that comes from. */
export interface InForce {
  readonly key: Key;
  readonly value: unknown;
  readonly from: string;
}

export type LoadedConfig =
  | {
      readonly ok: true;
      readonly config: Config;
      readonly inForce: readonly InForce[];
      readonly warnings: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly ConfigProblem[] };

export function loadConfig(sources: ConfigSources): LoadedConfig {
  const flags = readFlags(sources.argv);
  const file = readLayer(sources, flags.configFile);
  const layers = [file, readVariables(sources.env), flags];
  const settings = layers.flatMap((layer) => layer.settings);
  const wrong = new Map(settings.map((setting) => [setting, problemsOf(setting)]));
  const last = new Map(settings.map((setting) => [setting.key.name, setting]));
  const isWrong = (setting: Setting | undefined) => setting !== undefined && wrong.get(setting)?.length !== 0;
  const config = toConfig([...last.values()].filter((setting) => !isWrong(setting)));
  const setting = (name: string) => last.get(name);
  const broken = checkRules({ config, setting, wrong: (name) => isWrong(setting(name)) });
  const problems = [...layers.flatMap((layer) => layer.problems), ...[...wrong.values()].flat(), ...broken];
  if (problems.length > 0) return { ok: false, problems };
  return { ok: true, config, inForce: keys.map((key) => inForce(key, last.get(key.name))), warnings: warnings(config) };
}

function readLayer(sources: ConfigSources, flag: string | undefined): Layer {
  const path = flag ?? (sources.env[CONFIG_VARIABLE] || undefined);
  if (path === undefined) return { settings: [], problems: [] };
  try {
    return readConfigFile(path, sources.readFile(path));
  } catch (error) {
    const where = flag === undefined ? CONFIG_VARIABLE : '--config';
    const message = `cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    return { settings: [], problems: [{ key: path, where, message }] };
  }
}

function problemsOf({ key, layer, value, at, misshapen }: Setting): ConfigProblem[] {
  if (misshapen !== undefined) return [badValue(key, layer, at(), value, misshapen)];
  return (key.schema.safeParse(value).error?.issues ?? []).map((issue) => {
    const where = at(issue.path);
    // A bad name in a map: zod says what is wrong with it one level further in.
    if (issue.code === 'invalid_key')
      return badValue(key, layer, where, issue.path.at(-1), issue.issues[0]?.message ?? '');
    const item = issue.path.reduce<unknown>((parent, step) => (parent as Record<PropertyKey, unknown>)?.[step], value);
    return badValue(key, layer, where, item, issue.message);
  });
}

function inForce(key: Key, setting: Setting | undefined): InForce {
  return { key, value: setting?.value ?? key.fallback, from: setting?.at() ?? 'default' };
}

/** The defaults with these settings over them. */
function toConfig(settings: readonly Setting[]): Config {
  const input = {};
  for (const { key, value } of settings) put(input, key.path, value);
  const values: unknown = schema.parse(input);
  const config = {};
  for (const key of keys) put(config, camelPath(key), frozen(key.path.reduce<unknown>(child, values)));
  return frozen(config) as Config;
}

function child(parent: unknown, name: string): unknown {
  return (parent as Record<string, unknown>)[name];
}

function put(root: Record<string, unknown>, path: readonly string[], value: unknown): void {
  const [name = '', ...rest] = path;
  if (rest.length === 0) root[name] = value;
  else {
    root[name] ??= {};
    put(root[name] as Record<string, unknown>, rest, value);
  }
}

function camelPath(key: Key): string[] {
  const camel = key.path.map((name) => name.replaceAll(/-([a-z])/g, (_, letter: string) => letter.toUpperCase()));
  return [...camel.slice(0, -1), `${camel.at(-1)}${key.suffix}`];
}

function frozen<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(frozen);
    Object.freeze(value);
  }
  return value;
}
