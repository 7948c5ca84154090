/**
 * URL templates such as `http://{address}/users/{user}/messages?destination={destination}`.
 *
 * Users name themselves, so a user may be called `../admin`, `a?b` or `..`. Values are percent-encoded so that they never
 * leave their place: RFC 3986 section 2.2 for the delimiters. Dots cannot be encoded away: URL parsers take `%2e%2e` for
 * `..` and walk up (WHATWG URL, "double-dot path segment"). So the finished URL must survive a parser unchanged, and a
 * message whose URL does not is refused.
 */
import { isHostPort } from './ring-json.ts';

export interface TemplateValues {
  readonly pod: string;
  readonly address: string;
  readonly user: string;
  readonly destination: string;
}

export interface Target {
  readonly protocol: 'http:' | 'https:';
  /** Without the brackets of IPv6, as sockets take it. */
  readonly hostname: string;
  /** '' for the protocol's own. */
  readonly port: string;
  /** Path and query, exactly as they go into the request line. */
  readonly path: string;
}

/** The values cannot stand in this template. The text names no user. */
export class TemplateError extends Error {
  override readonly name = 'TemplateError';
}

export type UrlTemplate = (values: TemplateValues) => Target;

const AUTHORITY_NAMES = ['address', 'pod'];
const PATH_NAMES = ['address', 'pod', 'user', 'destination'];

/** Checks the template once. Throws TypeError that says what is wrong with it. */
export function urlTemplate(template: string): UrlTemplate {
  const [, protocol, authority, path] = /^(https?:)\/\/([^/?#]+)(\/[^#]*)$/.exec(template) ?? [];
  if (protocol === undefined || authority === undefined || path === undefined) {
    throw new TypeError(
      `url template ${template}: must be http(s)://HOST/PATH, for example http://{address}/users/{user}`,
    );
  }
  const authorityNames = checkNames(template, authority, AUTHORITY_NAMES);
  const pathNames = checkNames(template, path, PATH_NAMES);
  if (authorityNames.length === 0)
    throw new TypeError(`url template ${template}: the host must have {address} or {pod}`);
  for (const name of ['user', 'destination']) {
    if (!pathNames.includes(name))
      throw new TypeError(`url template ${template}: {${name}} is missing in path and query`);
  }
  return (values) => target(protocol as Target['protocol'], authority, path, values);
}

function checkNames(template: string, part: string, known: readonly string[]): string[] {
  const names = [...part.matchAll(/\{([^{}]*)\}/g)].map((match) => match[1] ?? '');
  const unknown = names.find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new TypeError(`url template ${template}: {${unknown}} cannot stand there; known are ${known.join(', ')}`);
  }
  return names;
}

function target(protocol: Target['protocol'], authority: string, path: string, values: TemplateValues): Target {
  if (!isHostPort(values.address)) throw new TemplateError(`the address of pod ${values.pod} is not host:port`);
  const host = fill(authority, values, (name, value) => (name === 'pod' ? hostLabel(value) : value));
  const filled = fill(path, values, (_, value) => escapeSegment(value));
  const url = new URL(`${protocol}//${host}${filled}`);
  if (url.pathname + url.search !== filled) {
    throw new TemplateError(
      'the name of the user, the destination or the pod is a dot segment ("." or ".."), unusable in a URL',
    );
  }
  const hostname = url.hostname.startsWith('[') ? url.hostname.slice(1, -1) : url.hostname;
  return { protocol, hostname, port: url.port, path: filled };
}

type Write = (name: keyof TemplateValues, value: string) => string;

function fill(part: string, values: TemplateValues, write: Write): string {
  return part.replace(/\{(\w+)\}/g, (_, name: keyof TemplateValues) => write(name, values[name]));
}

function hostLabel(pod: string): string {
  if (/^[A-Za-z0-9._-]+$/.test(pod)) return pod;
  throw new TemplateError('the name of the pod cannot stand in a host name');
}

/** encodeURIComponent leaves five characters that RFC 3986 reserves. */
function escapeSegment(value: string): string {
  return encodeURIComponent(value).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);
}
