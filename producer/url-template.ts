/**
 * URL templates such as `http://{address}/users/{user}/messages?destination={destination}`.
 *
 * Users name themselves, so a user may be called `../admin`, `a?b` or `..`. Values are percent-encoded so that they never
 * leave their place: RFC 3986 section 2.2 for the delimiters. Dots cannot be encoded away: URL parsers take `%2e%2e` for
 * `..` and walk up (WHATWG URL, "double-dot path segment"). So a message with a dot segment in its path is refused. The
 * template itself must survive a URL parser unchanged, which is seen once.
 */
import { isHostPort } from './ring-json.ts';

export interface TemplateValues {
  readonly pod: string;
  readonly address: string;
  readonly user: string;
  readonly destination: string;
}

export interface Target {
  /** `http://10.0.0.1:8080` */
  readonly origin: string;
  /** Path and query, exactly as they go into the request line. */
  readonly path: string;
}

/** The values cannot stand in this template. The text names no user. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

export type UrlTemplate = (values: TemplateValues) => Target;

type Name = keyof TemplateValues;

const AUTHORITY_NAMES: readonly Name[] = ['address', 'pod'];
const PATH_NAMES: readonly Name[] = ['address', 'pod', 'user', 'destination'];
/** Values that are the same in a URL, to see what the template itself is. */
const SAMPLE: TemplateValues = { pod: 'pod', address: 'pod:8080', user: 'user', destination: 'destination' };
/** WHATWG URL, "single-dot" and "double-dot URL path segment"; no value brings a %2e with it. */
const DOT_SEGMENT = /\/(?:\.|%2e){1,2}(?:\/|$)/i;

/** Checks the template once. Throws TypeError that says what is wrong with it. */
export function urlTemplate(template: string): UrlTemplate {
  const [, protocol, host, pathname, query] = /^(https?:)\/\/([^/?#]+)(\/[^?#]*)(\?[^#]*)?$/.exec(template) ?? [];
  if (protocol === undefined || host === undefined || pathname === undefined) {
    throw new TypeError(
      `url template ${template}: must be http(s)://HOST/PATH, for example http://{address}/users/{user}`,
    );
  }
  const parts: Parts = {
    protocol,
    host: partsOf(template, host, AUTHORITY_NAMES),
    pathname: partsOf(template, pathname, PATH_NAMES),
    query: partsOf(template, query ?? '', PATH_NAMES),
  };
  if (namesIn(parts.host).length === 0)
    throw new TypeError(`url template ${template}: the host must have {address} or {pod}`);
  const names = [...namesIn(parts.pathname), ...namesIn(parts.query)];
  for (const name of ['user', 'destination'] as const) {
    if (!names.includes(name)) throw new TypeError(`url template ${template}: {${name}} is missing in path and query`);
  }
  checkAsUrl(template, filled(parts, SAMPLE, fill(parts.pathname, SAMPLE, escapeSegment)));
  return (values) => target(parts, values);
}

/** Text and the names of values by turns, text first. */
type Part = readonly string[];

interface Parts {
  readonly protocol: string;
  readonly host: Part;
  readonly pathname: Part;
  readonly query: Part;
}

function partsOf(template: string, text: string, known: readonly Name[]): Part {
  const parts = text.split(/\{([^{}]*)\}/);
  const unknown = namesIn(parts).find((name) => !known.includes(name));
  if (unknown === undefined) return parts;
  throw new TypeError(`url template ${template}: {${unknown}} cannot stand there; known are ${known.join(', ')}`);
}

function namesIn(part: Part): Name[] {
  return part.filter((_, i) => i % 2 === 1) as Name[];
}

function checkAsUrl(template: string, { origin, path }: Target): void {
  const url = URL.parse(`${origin}${path}`);
  if (url !== null && url.pathname + url.search === path) return;
  const why = url === null ? 'it is no URL' : `a URL parser makes ${url.pathname}${url.search} of ${path}`;
  throw new TypeError(`url template ${template}: ${why}; percent-encode what cannot stand in a URL`);
}

function target(parts: Parts, values: TemplateValues): Target {
  if (!isHostPort(values.address)) throw new TemplateError(`the address of pod ${values.pod} is not host:port`);
  const pathname = fill(parts.pathname, values, escapeSegment);
  if (DOT_SEGMENT.test(pathname)) {
    throw new TemplateError(
      'the name of the user, the destination or the pod is a dot segment ("." or ".."), unusable in a URL',
    );
  }
  return filled(parts, values, pathname);
}

function filled({ protocol, host, query }: Parts, values: TemplateValues, pathname: string): Target {
  const authority = fill(host, values, (value, name) => (name === 'pod' ? hostLabel(value) : value));
  return { origin: `${protocol}//${authority}`, path: pathname + fill(query, values, escapeSegment) };
}

function fill(part: Part, values: TemplateValues, write: (value: string, name: Name) => string): string {
  let text = part[0] ?? '';
  for (let i = 1; i < part.length; i += 2) {
    const name = part[i] as Name;
    text += write(values[name], name) + part[i + 1];
  }
  return text;
}

function hostLabel(pod: string): string {
  if (/^[A-Za-z0-9._-]+$/.test(pod)) return pod;
  throw new TemplateError('the name of the pod cannot stand in a host name');
}

/** encodeURIComponent leaves five characters that RFC 3986 reserves. */
function escapeSegment(value: string): string {
  return encodeURIComponent(value).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
