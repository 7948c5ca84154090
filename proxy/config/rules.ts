/** What must hold between keys. A rule is checked also when something is wrong elsewhere, but not on wrong values. */
import type { HostPort } from './addresses.ts';
import type { Config } from './config.ts';
import { KEY_ALGORITHMS, SECRET_ALGORITHMS } from './jwt-schema.ts';
import { type ConfigProblem, NOWHERE, type Setting } from './problems.ts';
import { formatSource, readsJwt, SOURCE_FORMS } from './source.ts';

/** What is known when rules are checked. */
export interface Given {
  /** With the default in place of each wrong value. */
  readonly config: Config;
  /** What was given for a key, right or wrong. */
  readonly setting: (name: string) => Setting | undefined;
  readonly wrong: (name: string) => boolean;
}

/** `also` is another key that may be the one to change; where it stands is told if `key` stands nowhere. */
interface Broken {
  readonly key: string;
  readonly also?: string;
  readonly message: string;
}

type Rule = (given: Given) => Generator<Broken, void, undefined>;

const POD_SOURCES = ['pods', 'pods-file', 'kubernetes'];

function* onePodSource({ setting }: Given): ReturnType<Rule> {
  const [first, ...others] = POD_SOURCES.filter((name) => setting(name) !== undefined);
  if (first === undefined) {
    yield {
      key: 'pods',
      message:
        'nothing says where the pods are; give one of --pods NAME=HOST:PORT,… , --pods-file FILE and ' +
        '--kubernetes NAMESPACE/SERVICE:PORTNAME',
    };
    return;
  }
  for (const key of others)
    yield { key, message: `the pods come from ${first} (${setting(first)?.at()}) already; take one of the two out` };
}

function* oneFallback({ setting }: Given): ReturnType<Rule> {
  const [first, second] = ['fallback.dns', 'fallback.pods-file'].filter((name) => setting(name) !== undefined);
  if (second !== undefined) yield { key: second, message: `cannot stand beside ${first}; take one of the two out` };
}

function* someUser({ config, setting }: Given): ReturnType<Rule> {
  if (setting('user') !== undefined || config.anonymous) return;
  yield {
    key: 'user',
    message:
      'nothing says who a client is; give --user with one or more of ' +
      `${SOURCE_FORMS} (for example --user header:Username), or --anonymous if nobody needs to be known`,
  };
}

const JWT_KEYS = ['jwt.jwks-url', 'jwt.secret-file', 'jwt.decode-only'];

function* oneJwtKey({ config, setting, wrong }: Given): ReturnType<Rule> {
  if (wrong('user')) return;
  const source = config.user?.find(readsJwt);
  const ways = JWT_KEYS.filter((name) => setting(name) !== undefined && setting(name)?.value !== false);
  if (source !== undefined && ways.length === 0) {
    yield {
      key: 'jwt',
      message:
        `the source ${formatSource(source)} needs a way to check tokens: give jwt.jwks-url or jwt.secret-file ` +
        '(or jwt.decode-only if something in front of the proxy has checked them)',
    };
  }
  const [way, ...others] = ways;
  if (way !== undefined && source === undefined)
    yield { key: way, message: 'no source in user reads a token, so none would be checked; add jwt to user' };
  for (const key of others) yield { key, message: `cannot stand beside ${way}; take one of the two out` };
}

function* fittingAlgorithms({ config: { jwt } }: Given): ReturnType<Rule> {
  const [fits, why] =
    jwt.secretFile === undefined
      ? [KEY_ALGORITHMS as readonly string[], 'needs a shared secret: a public key could be taken for one']
      : [SECRET_ALGORITHMS as readonly string[], 'needs public keys (jwt.jwks-url), not jwt.secret-file'];
  if (jwt.jwksUrl === undefined && jwt.secretFile === undefined) return;
  for (const algorithm of jwt.algorithms ?? [])
    if (!fits.includes(algorithm)) yield { key: 'jwt.algorithms', message: `${algorithm} ${why}` };
}

function* starAlone({ config: { origins = [] } }: Given): ReturnType<Rule> {
  if (origins.includes('*') && origins.length > 1)
    yield { key: 'origins', message: '* allows every page, so the others say nothing; take * or them out' };
}

function* onePointCount({ setting }: Given): ReturnType<Rule> {
  if (setting('ring.size') !== undefined && setting('ring.points-per-pod') !== undefined)
    yield { key: 'ring.size', message: 'cannot stand beside ring.points-per-pod; take one of the two out' };
}

function* twoPorts({ config: { listen, admin }, wrong }: Given): ReturnType<Rule> {
  if (wrong('listen') || wrong('admin')) return;
  const same = (a: HostPort, b: HostPort) => a.port !== 0 && a.port === b.port && a.host === b.host;
  if (same(listen, admin))
    yield { key: 'admin', message: 'is the same address as listen; each needs a port of its own' };
}

/** `smaller` may not be more than `larger` (or not even as much), because of `why`. */
function ordered(
  smaller: [string, (config: Config) => number],
  larger: typeof smaller,
  why: string,
  strict = false,
): Rule {
  return function* ({ config, wrong }) {
    if (wrong(smaller[0]) || wrong(larger[0])) return;
    const [low, high] = [smaller[1](config), larger[1](config)];
    const message = `must be ${strict ? 'less' : 'no more'} than ${larger[0]}: ${why}`;
    if (low > high || (strict && low === high)) yield { key: smaller[0], also: larger[0], message };
  };
}

const rules: readonly Rule[] = [
  onePodSource,
  oneFallback,
  someUser,
  oneJwtKey,
  fittingAlgorithms,
  starAlone,
  twoPorts,
  onePointCount,
  ordered(
    ['backend.heartbeat', ({ backend }) => backend.heartbeatMs],
    ['backend.gone', ({ backend }) => backend.goneMs],
    'a pod would be given up before its heart-beat is due',
    true,
  ),
  ordered(
    ['handover.order-quiet', ({ handover }) => handover.orderQuietMs],
    ['handover.drain-max', ({ handover }) => handover.drainMaxMs],
    'the old link would close before it can be quiet',
  ),
  ordered(
    ['hold.session', ({ hold }) => hold.sessionBytes],
    ['hold.total', ({ hold }) => hold.totalBytes],
    'one session alone would be over the total',
  ),
];

export function checkRules(given: Given): ConfigProblem[] {
  const place = (key: string | undefined) => (key === undefined ? undefined : given.setting(key)?.at());
  return rules.flatMap((rule) =>
    [...rule(given)].map(({ key, also, message }) => ({ key, where: place(key) ?? place(also) ?? NOWHERE, message })),
  );
}

/** What works but is seldom meant; told at the start. */
export function warnings(config: Config): string[] {
  const told: string[] = [];
  if (config.jwt.decodeOnly)
    told.push(
      'jwt.decode-only: tokens are not checked; whoever reaches this port can be any user, unless something in front checks them',
    );
  if (config.trustedPeers === undefined && config.user?.some(({ kind }) => kind === 'header'))
    told.push('user has header: sources and trusted-peers is not set; whoever reaches this port can be any user');
  if (config.kubeconfig !== undefined && config.kubernetes === undefined)
    told.push('kubeconfig is only read with kubernetes');
  if ((config.fallback.dns ?? config.fallback.podsFile) !== undefined && config.kubernetes === undefined)
    told.push('fallback is only for kubernetes, when its API is silent at the start');
  return told;
}
