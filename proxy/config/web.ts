/** Values of the web: origins, addresses of HTTP services. */
import { NotAllowed, text } from './values.ts';

const DEFAULT_PORT = new Map([
  ['http', 80],
  ['https', 443],
]);
const ORIGIN = /^([a-z][a-z0-9+.-]*):\/\/(\[[0-9a-f:.]+\]|[a-z0-9._~-]+)(?::(\d{1,5}))?$/;

/**
 * An origin as scheme://host:port in lower case, with the scheme's own port left out (RFC 6454 section 6.2); undefined
 * for anything else, `null` among it. Schemes of apps (capacitor://localhost) are origins too.
 */
export function canonicalOrigin(input: string): string | undefined {
  const [, scheme, host, port] = ORIGIN.exec(input.toLowerCase()) ?? [];
  if (scheme === undefined || host === undefined || Number(port) > 65_535) return undefined;
  const named = port === undefined || Number(port) === DEFAULT_PORT.get(scheme) ? '' : `:${Number(port)}`;
  return `${scheme}://${host}${named}`;
}

/** One allowed origin, or `*` for all of them. */
export const origin = () =>
  text('ORIGIN', 'an origin such as https://app.example.com', (input): string => {
    if (input === '*') return input;
    const parsed = canonicalOrigin(input);
    if (parsed !== undefined) return parsed;
    if (input.includes('*')) throw new NotAllowed('cannot hold a pattern: list each origin whole, or * alone for all');
    throw new NotAllowed('must be SCHEME://HOST[:PORT] without a path, in ASCII (punycode), or * alone');
  });

function parseUrl(input: string): URL {
  const url = URL.parse(input);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new NotAllowed('must be an http:// or https:// address');
  return url;
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/;

/** Whoever can change the keys on the way can be any user, so plain HTTP only where there is no way. */
export const keySetUrl = () =>
  text('URL', 'an https:// address', (input): string => {
    const url = parseUrl(input);
    if (url.protocol === 'http:' && !LOOPBACK.test(url.hostname))
      throw new NotAllowed('must be https:// (http:// only for a server on this machine)');
    if (url.username !== '' || url.password !== '') throw new NotAllowed('cannot carry a user name or password');
    return input;
  });

const PLACEHOLDERS = ['address', 'user', 'destination'];

/** The address of a pod's producer door; {user} and {destination} are percent-encoded where they stand. */
export const urlTemplate = () =>
  text('URL', 'an address with {address} in it', (input): string => {
    const unknown = [...input.matchAll(/\{([^}]*)\}/g)].find(([, name = '']) => !PLACEHOLDERS.includes(name));
    if (unknown !== undefined)
      throw new NotAllowed(`knows no ${unknown[0]}; there are {address}, {user} and {destination}`);
    if (!/^https?:\/\/\{address\}(\/|$)/.test(input))
      throw new NotAllowed('must begin with http://{address} or https://{address}, and a path may follow');
    if (!input.includes('{user}')) throw new NotAllowed('must say with {user} where the name of the user goes');
    parseUrl(input.replaceAll(/\{[^}]*\}/g, 'x'));
    return input;
  });
