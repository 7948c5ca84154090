/**
 * Keeps the house tidy: which folder may import which, what pure folders may not touch, and how long a file may get.
 * A rule that is broken names the better way.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const TOP = ['ring', 'stomp', 'websocket', 'proxy', 'producer', 'backend', 'test', 'bench', 'tools'];

/** What a layer may import besides itself. docs/ARCHITECTURE.md draws the same arrows. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  ring: [],
  stomp: [],
  websocket: [],
  producer: ['ring', 'stomp'],
  backend: ['ring', 'stomp'],
  'proxy/log': ['proxy/log-output'],
  'proxy/log-output': [],
  'proxy/metrics': ['proxy/open-files'],
  'proxy/open-files': [],
  'proxy/running': [],
  'proxy/config': ['ring', 'proxy/log'],
  'proxy/discovery': ['proxy/log'],
  'proxy/identity': ['stomp', 'proxy/config', 'proxy/log'],
  'proxy/routing': ['ring', 'proxy/discovery'],
  'proxy/session': ['stomp', 'proxy/discovery', 'proxy/routing'],
  'proxy/sockjs': [],
  'proxy/links': ['stomp', 'websocket', 'proxy/discovery', 'proxy/session', 'proxy/sockjs', 'proxy/relay'],
  'proxy/relay': ['ring', 'stomp', 'websocket', 'proxy/discovery', 'proxy/routing', 'proxy/session', 'proxy/sockjs'],
  'proxy/listeners': [
    'stomp',
    'websocket',
    'proxy/discovery',
    'proxy/identity',
    'proxy/log',
    'proxy/sockjs',
    'proxy/relay',
  ],
  'proxy/gateway': ['ring', 'producer', 'proxy/log', 'proxy/metrics', 'proxy/admin'],
  'proxy/admin': ['proxy/log', 'proxy/metrics'],
  'proxy/workers': [
    'ring',
    'proxy/admin',
    'proxy/config',
    'proxy/discovery',
    'proxy/front',
    'proxy/identity',
    'proxy/listeners',
    'proxy/log',
    'proxy/log-output',
    'proxy/metrics',
    'proxy/program-file',
    'proxy/relay',
    'proxy/settings',
  ],
  'proxy/cli': [
    'ring',
    'proxy/config',
    'proxy/identity',
    'proxy/log',
    'proxy/log-output',
    'proxy/running',
    'proxy/serve',
    'proxy/demo',
  ],
};

/** Folders whose decisions must be replayable: time and chance come in as arguments, and there is no I/O. */
const PURE = ['ring', 'stomp', 'proxy/sockjs', 'proxy/routing', 'proxy/session'];
const IMPURE: readonly (readonly [RegExp, string])[] = [
  [/from 'node:/, 'imports of node: belong into a shell (relay, links, listeners)'],
  [/\bDate\b|\bperformance\b/, 'time comes in as an argument `now`'],
  [/\bMath\.random\b|\bcrypto\b/, 'chance comes in as an argument `random`'],
  [/\bset(Timeout|Interval|Immediate)\b|\bqueueMicrotask\b/, 'say when to come back with nextDeadline()'],
  [/\bBuffer\b/, 'use Uint8Array'],
  [/\basync\b|\bPromise\b|\bawait\b/, 'decide synchronously'],
];

const LINES_MAX = 400;

interface Source {
  readonly path: string;
  readonly text: string;
  readonly code: string;
}

const sources: readonly Source[] = TOP.flatMap((folder) => filesIn(folder)).map((path) => {
  const text = readFileSync(join(root, path), 'utf8');
  return { path, text, code: text.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '') };
});

function filesIn(folder: string): string[] {
  const entries = readdirSync(join(root, folder), { withFileTypes: true, recursive: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)));
}

/** 'proxy/session/link.ts' is of the layer 'proxy/session', 'proxy/log.ts' of 'proxy/log', 'ring/ring.ts' of 'ring'. */
function layerOf(path: string): string {
  const [top = '', second = ''] = path.split('/');
  return top === 'proxy' ? `proxy/${second.replace(/\.ts$/, '')}` : top;
}

function importsOf({ path, code }: Source): string[] {
  const specifiers = [...code.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g)].map((match) => match[1] ?? '');
  return specifiers.map((specifier) => join(dirname(path), specifier));
}

describe('imports', () => {
  test('flow one way', () => {
    const wrong = sources.flatMap((source) => {
      const allowed = MAY_IMPORT[layerOf(source.path)];
      if (allowed === undefined) return [];
      const layers = new Set(importsOf(source).map(layerOf));
      layers.delete(layerOf(source.path));
      return [...layers]
        .filter((layer) => !allowed.includes(layer))
        .map((layer) => `${source.path} may not import ${layer}`);
    });
    expect(wrong).toEqual([]);
  });

  test('never go in a circle', () => {
    const graph = new Map(sources.map((source) => [source.path, importsOf(source)]));
    expect(findCycle(graph)).toEqual([]);
  });
});

/** The files of one cycle, or none. */
function findCycle(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): string[] => {
    if (trail.includes(path)) return [...trail.slice(trail.indexOf(path)), path];
    if (done.has(path)) return [];
    for (const next of graph.get(path) ?? []) {
      const cycle = visit(next, [...trail, path]);
      if (cycle.length > 0) return cycle;
    }
    done.add(path);
    return [];
  };
  for (const path of graph.keys()) {
    const cycle = visit(path, []);
    if (cycle.length > 0) return cycle;
  }
  return [];
}

test.each(PURE)('%s is pure', (folder) => {
  const wrong = sources
    .filter(({ path }) => path.startsWith(`${folder}/`))
    .flatMap(({ path, code }) =>
      IMPURE.filter(([pattern]) => pattern.test(code)).map(([, advice]) => `${path}: ${advice}`),
    );
  expect(wrong.filter((line) => !line.startsWith('ring/hash.ts'))).toEqual([]);
});

test('files hold one idea', () => {
  const long = sources.filter(({ path, text }) => !path.startsWith('test/') && text.split('\n').length > LINES_MAX);
  expect(long.map(({ path }) => `${path} has more than ${LINES_MAX} lines: split it by idea`)).toEqual([]);
});

test('nothing is left for later', () => {
  // Spelt in parts, so that this file does not find itself.
  const marks = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X'].join('|')})\\b|\\.(only|skip|todo)\\(`);
  expect(sources.filter(({ text }) => marks.test(text)).map(({ path }) => path)).toEqual([]);
});
