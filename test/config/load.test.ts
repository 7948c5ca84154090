import { availableParallelism } from 'node:os';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type ConfigSources, formatProblems, keys, loadConfig, toText } from '../../proxy/config/index.ts';

/** What every configuration needs. */
const BASE = ['--pods', 'pod-1=127.0.0.1:1', '--user', 'header:Username'];

function load(sources: Partial<ConfigSources> & { yaml?: string }) {
  const { yaml, argv = [], env = {} } = sources;
  const withFile = yaml === undefined ? argv : ['--config', 'holdfast.yaml', ...argv];
  return loadConfig({ argv: withFile, env, readFile: () => yaml ?? '' });
}

function config(sources: Parameters<typeof load>[0]) {
  const loaded = load(sources);
  if (!loaded.ok) throw new Error(formatProblems(loaded.problems));
  return loaded.config;
}

function problems(sources: Parameters<typeof load>[0]): string[] {
  const loaded = load(sources);
  return loaded.ok ? [] : formatProblems(loaded.problems).split('\n').slice(1, -1);
}

describe('a key', () => {
  test('becomes camelCase with its unit last, everything frozen', () => {
    const loaded = config({ argv: [...BASE, '--handover-drain-max', '7s', '--hold-session', '32KiB'] });
    expect(loaded.handover.drainMaxMs).toBe(7_000);
    expect(loaded.hold.sessionBytes).toBe(32_768);
    expect(loaded.listen).toEqual({ host: '127.0.0.1', port: 8080 });
    expect(loaded.pods).toEqual([{ name: 'pod-1', address: '127.0.0.1:1' }]);
    expect(Object.isFrozen(loaded) && Object.isFrozen(loaded.handover) && Object.isFrozen(loaded.pods?.[0])).toBe(true);
  });

  test('is written in one way in each layer, none like another', () => {
    for (const spelling of [keys.map((key) => key.flag), keys.map((key) => key.variable)])
      expect(new Set(spelling).size).toBe(spelling.length);
  });

  // What a key means must not depend on where it is set; the examples are of all shapes.
  test.each(keys.filter((key) => key.example !== undefined))(
    '$name is the same from file, variable and flag',
    (key) => {
      const sources = ['pods', 'pods-file', 'kubernetes'].includes(key.name) ? [] : BASE.slice(0, 2);
      const user = ['user', 'anonymous'].includes(key.name) ? ['--anonymous'] : ['--user', 'jwt'];
      const token =
        key.name === 'jwt.secret-file' || key.name === 'jwt.jwks-url' ? [] : ['--jwt-secret-file', '/secret'];
      const secret = user[1] === 'jwt' ? token : [];
      const argv = [...sources, ...user, ...secret];
      if (key.name === 'jwt.algorithms') argv.splice(-2, 2, '--jwt-jwks-url', 'https://login.example.com/keys');
      const value = key.name === 'anonymous' ? true : key.example;
      if (key.name === 'anonymous') argv.pop();
      const yaml = JSON.stringify(key.path.reduceRight<unknown>((inner, name) => ({ [name]: inner }), value));
      const byFlag = config({ argv: [...argv, `--${key.flag}=${toText(value)}`] });
      expect(config({ argv, yaml })).toEqual(byFlag);
      expect(config({ argv, env: { [key.variable]: toText(value) } })).toEqual(byFlag);
    },
  );
});

describe('precedence', () => {
  const yaml = 'limits:\n  headers: 1\n';
  const env = { HOLDFAST_LIMITS_HEADERS: '2' };
  const flag = ['--limits-headers', '3'];

  test.each([
    ['default', {}, 64],
    ['file', { yaml }, 1],
    ['variable', { env }, 2],
    ['variable before file', { yaml, env }, 2],
    ['flag before variable', { argv: flag, env }, 3],
    ['flag before file', { argv: flag, yaml }, 3],
    ['flag before all', { argv: flag, env, yaml }, 3],
  ])('%s', (_, sources: Parameters<typeof load>[0], headers) => {
    expect(config({ ...sources, argv: [...BASE, ...(sources.argv ?? [])] }).limits.headers).toBe(headers);
  });

  test('tells where each value comes from', () => {
    const loaded = load({ argv: BASE, env: { HOLDFAST_LOG_LEVEL: 'warn' }, yaml: 'limits:\n  headers: 1\n' });
    const from = loaded.ok ? new Map(loaded.inForce.map(({ key, from }) => [key.name, from])) : new Map();
    expect([from.get('pods'), from.get('log.level'), from.get('limits.headers'), from.get('admin')]).toEqual([
      '--pods',
      'HOLDFAST_LOG_LEVEL',
      'holdfast.yaml:2:12',
      'default',
    ]);
  });

  test('a list or map of a higher layer replaces the lower one whole', () => {
    const yaml = 'pods: {a: "10.0.0.1:1"}\nuser: [jwt]\n';
    const loaded = config({ argv: [...BASE, '--user', 'query:u,stomp-login'], yaml });
    expect(loaded.pods?.map(({ name }) => name)).toEqual(['pod-1']);
    expect(loaded.user?.map(({ kind }) => kind)).toEqual(['header', 'query', 'stomp-login']);
  });

  test('what is wrong in a lower layer is told although a higher one covers it', () => {
    expect(problems({ argv: [...BASE, '--limits-headers', '3'], yaml: 'limits: {headers: none}' })).toEqual([
      '  holdfast.yaml:1:19: limits.headers: "none" must be a whole number from 1 to 1024; example: 64',
    ]);
  });
});

describe('flags', () => {
  test.each([
    [['--anonymous'], true],
    [['--anonymous', 'false'], false],
    [['--anonymous=true'], true],
    [['--anonymous', '--log-users'], true],
  ])('%j', (argv, anonymous) => expect(config({ argv: [...BASE, ...argv] }).anonymous).toBe(anonymous));

  test.each([
    [['--listen'], '  --listen: needs a value: --listen HOST:PORT'],
    [['--config'], '  --config: needs a value (the file to read)'],
    [['--log-level', 'warn', '--log-level', 'info'], '  --log-level: is given 2 times; once is enough'],
    [['8080'], '  8080: is no flag; values belong behind a flag, as in --listen 127.0.0.1:8080'],
    [['-l', '1.2.3.4:5'], '  -l: there is no such key; `holdfast serve --help` lists them all'],
    [['--lisen', '1.2.3.4:5'], '  --lisen: there is no such key; did you mean --listen?'],
    [['--drain-max=5s'], '  --drain-max: there is no such key; did you mean --handover-drain-max?'],
    [['--confg', 'x'], '  --confg: there is no such key; did you mean --config?'],
    [['--pods', 'pod-1'], '  --pods: "pod-1=127.0.0.1:1,pod-1" must be NAME=HOST:PORT,…'],
    [['--pods', 'pod-1=h:2'], '  --pods: "pod-1=127.0.0.1:1,pod-1=h:2" names pod-1 twice'],
    [['--pods', 'pod-2=127.0.0.1:1'], 'gives 127.0.0.1:1 to two pods'],
    [['--anonymous=maybe'], '  --anonymous: "maybe" must be true or false; example: false'],
  ])('%j is told', (argv, told) => {
    const lines = problems({ argv: [...BASE, ...argv] });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(told);
  });
});

describe('variables', () => {
  test('an empty one is not set, others than HOLDFAST_* are not ours', () => {
    expect(config({ argv: BASE, env: { HOLDFAST_LOG_LEVEL: '', LOG_LEVEL: 'x', HOLDFASTX: 'x' } }).log.level).toBe(
      'info',
    );
  });

  test('those that Kubernetes makes for a Service called holdfast are not ours', () => {
    const env = {
      HOLDFAST_SERVICE_HOST: '10.0.0.1',
      HOLDFAST_SERVICE_PORT: '80',
      HOLDFAST_SERVICE_PORT_WS: '80',
      HOLDFAST_PORT: 'tcp://10.0.0.1:80',
      HOLDFAST_PORT_80_TCP: 'tcp://10.0.0.1:80',
      HOLDFAST_PORT_80_TCP_PROTO: 'tcp',
      HOLDFAST_PORT_80_TCP_PORT: '80',
      HOLDFAST_PORT_80_TCP_ADDR: '10.0.0.1',
      HOLDFAST_ADMIN_SERVICE_HOST: '10.0.0.1',
      HOLDFAST_ADMIN_PORT: 'tcp://10.0.0.2:9090',
    };
    expect(problems({ argv: BASE, env })).toEqual([]);
    expect(keys.filter((key) => /_PORT(_|$)|_SERVICE_/.test(key.variable))).toEqual([]);
  });

  test.each([
    ['HOLDFAST_PORT', '8080'],
    ['HOLDFAST_HANDOVER_DRAINMAX', '5s'],
    ['HOLDFAST_', 'x'],
  ])('%s=%s is unknown', (name, value) => {
    expect(problems({ argv: BASE, env: { [name]: value } })[0]).toContain(`  ${name}: there is no such key;`);
  });

  test('HOLDFAST_CONFIG names the file, --config goes before it', () => {
    const read: string[] = [];
    const readFile = (path: string) => `limits: {headers: ${read.push(path)}}`;
    loadConfig({ argv: BASE, env: { HOLDFAST_CONFIG: 'env.yaml' }, readFile });
    loadConfig({ argv: [...BASE, '--config', 'flag.yaml'], env: { HOLDFAST_CONFIG: 'env.yaml' }, readFile });
    expect(read).toEqual(['env.yaml', 'flag.yaml']);
  });
});

describe('the file', () => {
  test.each([
    ['unknown key', 'listne: x', '  holdfast.yaml:1:1: listne: there is no such key; did you mean listen?'],
    [
      'unknown key in a section',
      'handover:\n  drain-mx: 5s',
      '  holdfast.yaml:2:3: handover.drain-mx: there is no such key; did you mean handover.drain-max?',
    ],
    [
      'key in the wrong place',
      'drain-max: 5s',
      '  holdfast.yaml:1:1: drain-max: there is no such key; did you mean handover.drain-max?',
    ],
    [
      'camelCase',
      'hold: {sessionBytes: 1KiB}',
      '  holdfast.yaml:1:8: hold.sessionBytes: there is no such key; did you mean hold.session?',
    ],
    [
      'a section as a key',
      'limits: 5',
      '  holdfast.yaml:1:9: limits: must be a map with keys such as frame, header, headers',
    ],
    [
      'a list as the file',
      '- listen',
      '  holdfast.yaml:1:1: the file: must be a map with keys such as listen, admin, pods',
    ],
    [
      'a number without unit',
      'handover: {drain-max: 5}',
      '  holdfast.yaml:1:23: handover.drain-max: 5 has no unit: it must be a whole number with its unit ms, s, m or h, from 0s to 5m; example: 5s',
    ],
    [
      'an item of a list',
      'origins:\n  - https://a.example\n  - b.example',
      '  holdfast.yaml:3:5: origins: "b.example" must be SCHEME://HOST[:PORT]',
    ],
    [
      'text for a list',
      'user: header:Username',
      '  holdfast.yaml:1:7: user: "header:Username" must be a list of 1 to 16 items; example: ["header:Username"]',
    ],
    ['nothing', 'admin:', '  holdfast.yaml:1:7: admin: nothing must be HOST:PORT; example: 127.0.0.1:9090'],
    [
      'a key twice',
      'admin: 1.2.3.4:5\nadmin: 1.2.3.4:6',
      '  holdfast.yaml:2:1: configuration file: cannot be read as YAML: Map keys must be unique',
    ],
    ['no YAML', 'listen: [', '  holdfast.yaml:1:10: configuration file: cannot be read as YAML:'],
    ['two documents', 'admin: 1.2.3.4:5\n---\nadmin: 1.2.3.4:5', 'cannot be read as YAML'],
    ['prototype', '__proto__: {a: 1}', '  holdfast.yaml:1:1: __proto__: there is no such key;'],
  ])('%s is told with its place', (_, yaml, told) => {
    const lines = problems({ argv: yaml.startsWith('user') ? BASE.slice(0, 2) : BASE, yaml });
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(told);
  });

  test.each([
    [
      'bad name',
      'pods:\n  ok: 10.0.0.1:1\n  _x: 10.0.0.2:1',
      '  holdfast.yaml:3:7: pods: "_x" must be a name of 1 to 253',
    ],
    ['bad address', 'pods:\n  ok: 10.0.0.1', '  holdfast.yaml:2:7: pods: "10.0.0.1" must be HOST:PORT'],
    ['no pod', 'pods: {}', '  holdfast.yaml:1:7: pods: {} must name at least one pod'],
  ])('a map of pods with a %s', (_, yaml, told) => {
    expect(problems({ argv: ['--anonymous'], yaml })[0]).toContain(told);
  });

  test('empty sections, comments, anchors and JSON are fine', () => {
    const yaml = '# nothing yet\nhold:\nclient: &beats {heartbeat: 3s}\nbackend: *beats\n';
    expect(config({ argv: BASE, yaml }).backend.heartbeatMs).toBe(3_000);
    expect(config({ argv: BASE, yaml: '' }).log.level).toBe('info');
    expect(config({ argv: BASE, yaml: '{"log": {"level": "warn"}}' }).log.level).toBe('warn');
  });

  test('that cannot be read is told with the reason', () => {
    const readFile = () => {
      throw new Error("ENOENT: no such file or directory, open 'x.yaml'");
    };
    const loaded = loadConfig({ argv: [...BASE, '--config', 'x.yaml'], env: {}, readFile });
    expect(loaded.ok ? '' : formatProblems(loaded.problems)).toBe(
      "holdfast: a problem in the configuration\n  --config: x.yaml: cannot be read: ENOENT: no such file or directory, open 'x.yaml'\n",
    );
  });

  test('a bomb of aliases is an error, not the end', () => {
    const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${`*l${i},`.repeat(9)}]`);
    const yaml = `origins: &l0 [a,a]\n${levels.join('\n')}\ntrusted-peers: *l9`;
    expect(problems({ argv: BASE, yaml }).length).toBeGreaterThan(0);
  });
});

test('everything wrong is told at once', () => {
  const lines = problems({
    argv: ['--listn', 'x', '--log-level', 'loud'],
    env: { HOLDFAST_HOLD_TOTAL: '5', HOLDFAST_HOLD_TOTALS: '5MiB' },
    yaml: 'ring: {key: name}\nbackend: {gone: 1s}\n',
  });
  expect(lines.map((line) => line.trim().split(' ')[0])).toEqual([
    'holdfast.yaml:1:8:',
    'HOLDFAST_HOLD_TOTALS:',
    '--listn:',
    'HOLDFAST_HOLD_TOTAL:',
    '--log-level:',
    'pods:',
    'user:',
    'holdfast.yaml:2:17:',
  ]);
});

test('passwords in addresses are not repeated in messages', () => {
  const argv = [...BASE, '--jwt-jwks-url', 'https://me:secret@login.example.com/keys'];
  expect(problems({ argv }).join()).not.toContain('secret');
});

test('any text for file, flags and variables gives a configuration or problems', () => {
  const word = fc.oneof(fc.string(), fc.constantFrom(...keys.map((key) => `--${key.flag}`), '--config', '=', '--'));
  const variables = fc.dictionary(fc.constantFrom(...keys.map((key) => key.variable), 'HOLDFAST_X'), fc.string());
  const yaml = fc.oneof(
    fc.string({ unit: 'grapheme' }),
    fc.json(),
    fc.constantFrom('*a', '? : :', '&a [*a]', '!!binary x', '? {a: 1}\n: 2'),
  );
  fc.assert(
    fc.property(fc.array(word), variables, yaml, (argv, env, text) => {
      const loaded = loadConfig({ argv: [...argv, '--config', 'f'], env, readFile: () => text });
      return loaded.ok || formatProblems(loaded.problems).split('\n').length >= 2;
    }),
  );
});

describe('workers', () => {
  test.each([
    [[], 1],
    [['--workers', '3'], 3],
    [['--workers', 'auto'], Math.min(256, availableParallelism())],
  ])('%j: %d', (flags, workers) => expect(config({ argv: [...BASE, ...flags] }).workers).toBe(workers));

  test.each(['0', '257', '1.5', 'all'])('%s is refused, with what is allowed', (value) => {
    expect(problems({ argv: [...BASE, '--workers', value] }).join()).toContain(
      'must be auto or a whole number from 1 to 256',
    );
  });
});
