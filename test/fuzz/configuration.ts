/** The configuration: whatever stands in file, variables and flags, it is a configuration or it is problems, never a throw. */
import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import { type ConfigSources, formatProblems, keys, loadConfig, toText } from '../../proxy/config/index.ts';
import { HeapWatch, inBatches, leaks, type Report } from './report.ts';

const odd = fc.constantFrom<unknown>(
  ...['', ' ', '0', '-1', '1e9', '5', '5s', '5 s', '0.5s', '99999999999h', '1KiB', '1TiB', 'true', 'yes', 'null', '~'],
  ...[
    '127.0.0.1:0',
    ':8080',
    '[::1]:80',
    'a=b:1',
    'a=b:1,a=c:2',
    'header:',
    'header:é',
    'jwt',
    'https://a',
    'a\0b',
    '😀',
  ],
  ...[0, -1, 1.5, 2 ** 53, Number.NaN, true, null, [], {}, [[]], { a: 'b:1' }, ['header:Username'], { __proto__: 1 }],
);
/** For a key: an example of it, or of another key, or something odd. */
const setting = fc.constantFrom(...keys).chain((key) =>
  fc.record({
    key: fc.constant(key),
    value: fc.oneof(
      { weight: 20, arbitrary: fc.constant(key.example ?? key.fallback) },
      { weight: 2, arbitrary: odd },
      { weight: 1, arbitrary: fc.constantFrom(...keys).map((other) => other.example) },
      { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
    ),
  }),
);
type Setting = typeof setting extends fc.Arbitrary<infer T> ? T : never;

const junk = fc.oneof(
  fc.constantFrom('--', '-', '=', '--=', '--config', '--listen', '--no-anonymous', '-h', '--help', '--listen=', '--é'),
  fc.string({ maxLength: 8 }),
);
const yamlJunk = fc.oneof(
  { weight: 8, arbitrary: fc.constant('') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      ...[
        '\n---\n',
        '\nlisten: 1\nlisten: 2',
        '\n*a',
        '\n&a [*a]',
        '\n!!js/function "x"',
        '\n? [a]: b',
        '\n\t- x',
        '\0',
      ],
      ...['\n<<: {log: {level: warn}}', '\n%YAML 9.9', '\n"\\ud800": 1', '\n- a', '\nlog: &l {level: info}\nhold: *l'],
    ),
  },
);
/** Often with what every configuration needs, so that there are some that are right. */
const needed = fc.constantFrom<readonly string[]>(
  [],
  ['--pods', 'pod-1=127.0.0.1:1', '--anonymous'],
  ['--pods', 'pod-1=127.0.0.1:1', '--anonymous'],
  ['--pods', 'pod-1=127.0.0.1:1', '--user', 'header:Username'],
  ['--pods', 'pod-1=127.0.0.1:1', '--user', 'header:Username'],
);

const sources = fc.record({
  needed,
  flags: fc.array(setting, { maxLength: 3 }),
  variables: fc.array(setting, { maxLength: 3 }),
  file: fc.array(setting, { maxLength: 4 }),
  junk: fc.oneof({ weight: 6, arbitrary: fc.constant<string[]>([]) }, { weight: 1, arbitrary: fc.array(junk) }),
  yamlJunk,
  stranger: fc.oneof(
    { weight: 9, arbitrary: fc.constant(null) },
    {
      weight: 1,
      arbitrary: fc.tuple(fc.constantFrom('HOLDFAST_', 'HOLDFAST_X', 'HOLDFAST_CONFIG', 'X'), fc.string()),
    },
  ),
  readable: fc.integer({ min: 0, max: 19 }).map((dice) => dice > 0),
});
type Sources = typeof sources extends fc.Arbitrary<infer T> ? T : never;

function textOf(value: unknown): string {
  try {
    return toText(value);
  } catch {
    return String(value);
  }
}

/** JSON is YAML. */
function yamlOf(settings: readonly Setting[]): string {
  const root: Record<string, unknown> = {};
  for (const { key, value } of settings) {
    let section = root;
    for (const name of key.path.slice(0, -1)) {
      const inner = section[name];
      section = typeof inner === 'object' && inner !== null ? (inner as Record<string, unknown>) : {};
      if (inner === undefined) nest(root, key.path.slice(0, -1), section);
    }
    section[key.path.at(-1) ?? ''] = value;
  }
  return JSON.stringify(root);
}

function nest(root: Record<string, unknown>, path: readonly string[], section: Record<string, unknown>): void {
  const [name = '', ...rest] = path;
  if (rest.length === 0) root[name] = section;
}

function given({ needed, flags, variables, file, junk, yamlJunk, stranger, readable }: Sources): ConfigSources {
  const argv = [...needed, '--config', 'f.yaml', ...flags.map(({ key, value }) => `--${key.flag}=${textOf(value)}`)];
  const own = variables.map(({ key, value }): [string, string] => [key.variable, textOf(value)]);
  return {
    argv: [...argv, ...junk],
    env: Object.fromEntries([...own, ...(stranger === null ? [] : [stranger])]),
    readFile: () => {
      if (!readable) throw new Error('EACCES: not readable');
      return `${yamlOf(file)}${yamlJunk}`;
    },
  };
}

export interface ConfigurationFuzz {
  readonly configurations: number;
  readonly seed: number;
}

export async function fuzzConfiguration({ configurations, seed }: ConfigurationFuzz): Promise<Report> {
  const startMs = performance.now();
  const heap = new HeapWatch();
  const count = { cases: 0, right: 0 };
  const property = fc.property(sources, (all) => {
    const from = given(all);
    const loaded = loadConfig(from);
    count.cases++;
    if (loaded.ok) {
      count.right++;
      deepStrictEqual(sayItAgain(loaded.inForce), loaded.config);
    } else problemsAreClear(loaded.problems);
  });
  const isEnough = () => {
    heap.at(count.cases / configurations);
    return count.cases >= configurations;
  };
  const runs = Math.min(2_000, configurations);
  const failures = await inBatches({ property, seed, isEnough, runs });
  const figures = heap.figures;
  return {
    ...{ target: 'configuration', cases: count.cases, unit: 'configurations', heapMB: figures },
    seconds: (performance.now() - startMs) / 1000,
    failures: [...failures, ...leaks(figures)],
    more: { right: count.right },
  };
}

type InForce = Extract<ReturnType<typeof loadConfig>, { ok: true }>['inForce'];

/** What is said to be in force, said again as flags, gives the same configuration. */
function sayItAgain(inForce: InForce): unknown {
  const said = inForce.filter(({ value }) => value !== undefined);
  const again = loadConfig({
    argv: said.map(({ key, value }) => `--${key.flag}=${toText(value)}`),
    env: {},
    readFile: () => '',
  });
  if (!again.ok) throw new Error(`in force, but not to be said again: ${formatProblems(again.problems)}`);
  return again.config;
}

function problemsAreClear(problems: Parameters<typeof formatProblems>[0]): void {
  if (problems.length === 0) throw new Error('neither a configuration nor problems');
  for (const { message } of problems) {
    if (message === '') throw new Error(`a problem without words: ${JSON.stringify(problems)}`);
  }
  const lines = formatProblems(problems).trimEnd().split('\n');
  if (lines.length < 2) throw new Error(`problems without a line: ${lines.join()}`);
}
