import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../proxy/config/index.ts';

const PODS = ['--pods', 'pod-1=127.0.0.1:1'];
const USER = ['--user', 'header:Username'];
const JWT = ['--user', 'jwt'];

function load(...argv: string[]) {
  return loadConfig({ argv, env: {}, readFile: () => '' });
}

/** Key and the beginning of the message of each problem. */
function broken(...argv: string[]): string[] {
  const loaded = load(...argv);
  return loaded.ok ? [] : loaded.problems.map(({ key, message }) => `${key}: ${message}`);
}

describe('where the pods are', () => {
  test.each([
    ['pods', PODS],
    ['pods-file', ['--pods-file', 'pods.yaml']],
    ['kubernetes', ['--kubernetes', 'default/chat:http']],
  ])('%s is enough', (_, argv) => expect(broken(...argv, ...USER)).toEqual([]));

  test('none is told with all three ways', () => {
    expect(broken(...USER)).toEqual([
      'pods: nothing says where the pods are; give one of --pods NAME=HOST:PORT,… , --pods-file FILE and --kubernetes NAMESPACE/SERVICE:PORTNAME',
    ]);
  });

  test('each one too many is told with the place of the first', () => {
    expect(broken(...PODS, '--pods-file', 'f', '--kubernetes', 'a/b:c', ...USER)).toEqual([
      'pods-file: the pods come from pods (--pods) already; take one of the two out',
      'kubernetes: the pods come from pods (--pods) already; take one of the two out',
    ]);
  });

  test('a wrong one is one problem, not two', () => expect(broken('--pods', 'pod-1=nowhere', ...USER)).toHaveLength(1));
});

describe('what to fall back on', () => {
  const KUBERNETES = ['--kubernetes', 'default/chat:http', ...USER];
  const DNS = ['--fallback-dns', '_http._tcp.chat-pods.default.svc.cluster.local'];
  const FILE = ['--fallback-pods-file', 'pods.yaml'];

  test.each([
    ['DNS', DNS],
    ['a file', FILE],
    ['nothing', []],
  ])('may be %s', (_, argv) => expect(broken(...KUBERNETES, ...argv)).toEqual([]));

  test('is one thing', () => {
    const twice = 'fallback.pods-file: cannot stand beside fallback.dns; take one of the two out';
    expect(broken(...KUBERNETES, ...DNS, ...FILE)).toEqual([twice]);
  });
});

describe('who the user is', () => {
  test('must be said', () => expect(broken(...PODS)[0]).toContain('user: nothing says who a client is; give --user'));
  test('or not be needed', () => expect(broken(...PODS, '--anonymous')).toEqual([]));
  test('a wrong source is one problem, not two', () => {
    expect(broken(...PODS, '--user', 'me')).toHaveLength(1);
    expect(broken(...PODS, '--user', 'jtw', '--jwt-secret-file', '/secret')).toHaveLength(1);
  });
});

describe('how tokens are checked', () => {
  const ways = {
    keys: ['--jwt-jwks-url', 'https://login.example.com/keys'],
    secret: ['--jwt-secret-file', '/secret'],
    decode: ['--jwt-decode-only'],
  };

  test.each(Object.entries(ways))('%s alone is enough', (_, way) =>
    expect(broken(...PODS, ...JWT, ...way)).toEqual([]),
  );

  test.each(['jwt', 'jwt:cookie:t', 'jwt:query:t', 'stomp-authorization'])('%s needs one of them', (source) =>
    expect(broken(...PODS, '--user', source)[0]).toContain(`jwt: the source ${source} needs a way to check tokens`),
  );

  test('decode-only false is no way', () =>
    expect(broken(...PODS, ...JWT, '--jwt-decode-only=false')[0]).toContain('needs a way to check tokens'));

  test('two do not go together', () => {
    expect(broken(...PODS, ...JWT, ...ways.keys, ...ways.decode)).toEqual([
      'jwt.decode-only: cannot stand beside jwt.jwks-url; take one of the two out',
    ]);
  });

  test('keys without a source that reads tokens check nothing', () => {
    const message = 'jwt.jwks-url: no source in user reads a token, so none would be checked; add jwt to user';
    expect(broken(...PODS, ...USER, ...ways.keys)).toEqual([message]);
    expect(broken(...PODS, '--anonymous', ...ways.keys)).toEqual([message]);
  });

  test.each([
    ['keys', 'HS256', 'needs a shared secret: a public key could be taken for one'],
    ['secret', 'RS256', 'needs public keys (jwt.jwks-url), not jwt.secret-file'],
  ] as const)('%s do not go with %s', (way, algorithm, why) =>
    expect(broken(...PODS, ...JWT, ...ways[way], '--jwt-algorithms', algorithm)).toEqual([
      `jwt.algorithms: ${algorithm} ${why}`,
    ]),
  );

  test.each(['none', 'None', 'NONE', ''])('the algorithm %j is none that can be accepted', (algorithm) =>
    expect(broken(...PODS, ...JWT, ...ways.keys, `--jwt-algorithms=${algorithm}`)[0]).toContain('must be one of HS256'),
  );
});

describe('values that must fit each other', () => {
  test.each([
    [['--backend-heartbeat', '2s', '--backend-gone', '1999ms'], 'backend.heartbeat: must be less than backend.gone'],
    [['--backend-heartbeat', '2s', '--backend-gone', '2s'], 'backend.heartbeat: must be less than backend.gone'],
    [['--backend-heartbeat', '2s', '--backend-gone', '2001ms'], undefined],
    [['--handover-order-quiet', '100ms', '--handover-drain-max', '99ms'], 'handover.order-quiet: must be no more than'],
    [['--handover-order-quiet', '100ms', '--handover-drain-max', '100ms'], undefined],
    [['--hold-session', '65KiB', '--hold-total', '64KiB'], 'hold.session: must be no more than hold.total'],
    [['--hold-session', '64KiB', '--hold-total', '64KiB'], undefined],
    [['--origins', '*,https://a.example'], 'origins: * allows every page'],
    [['--origins', '*'], undefined],
    [['--listen', 'a:1', '--admin', 'a:1'], 'admin: is the same address as listen'],
    [['--listen', 'a:1', '--admin', 'a:2'], undefined],
    [['--listen', 'a:0', '--admin', 'a:0'], undefined],
    [['--ring-size', '1024', '--ring-points-per-pod', '100'], 'ring.size: cannot stand beside ring.points-per-pod'],
    [['--ring-size', '1024'], undefined],
  ])('%j: %s', (argv, message) => {
    const problems = broken(...PODS, ...USER, ...argv);
    expect(problems).toHaveLength(message === undefined ? 0 : 1);
    if (message !== undefined) expect(problems[0]).toContain(message);
  });

  test('are not compared while one of them is wrong', () => {
    expect(broken(...PODS, ...USER, '--backend-gone', '5', '--backend-heartbeat', '50s')).toHaveLength(1);
    expect(broken(...PODS, ...USER, '--hold-total', '5', '--hold-session', '1MiB')).toHaveLength(1);
  });
});

describe('warnings', () => {
  const warned = (...argv: string[]) => {
    const loaded = load(...PODS, ...argv);
    return loaded.ok ? loaded.warnings : ['not loaded'];
  };

  test('are told for what works but believes anybody', () => {
    expect(warned(...USER)[0]).toContain('trusted-peers is not set');
    expect(warned(...USER, '--trusted-peers', '10.0.0.0/8')).toEqual([]);
    expect(warned(...JWT, '--jwt-decode-only')[0]).toContain('tokens are not checked');
    expect(warned(...JWT, '--jwt-secret-file', '/secret')).toEqual([]);
    expect(warned('--anonymous', '--kubeconfig', 'k')).toEqual(['kubeconfig is only read with kubernetes']);
    expect(warned('--anonymous', '--fallback-pods-file', 'p')).toEqual([
      'fallback is only for kubernetes, when its API is silent at the start',
    ]);
  });
});
