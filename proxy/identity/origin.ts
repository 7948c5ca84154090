/**
 * Which web pages may connect. A browser sends cookies to any WebSocket that any page opens, so the page's origin is the
 * only thing between a session and a foreign page (cross-site WebSocket hijacking, RFC 6455 section 10.2).
 */
import { canonicalOrigin } from '../config/index.ts';
import { headerValues, type UpgradeRequest } from './request.ts';

/** undefined when the origin is allowed; otherwise why not, to answer 403 with. */
export type OriginCheck = (request: Pick<UpgradeRequest, 'rawHeaders'>) => string | undefined;

/**
 * `allowed` is the key `origins`: canonical origins, or `*`; undefined allows pages of the host that the request names.
 * Scheme, host and port are compared whole. No Origin means no browser, and nothing that a foreign page could abuse.
 */
export function createOriginCheck(allowed: readonly string[] | undefined): OriginCheck {
  return (request) => {
    const origins = headerValues(request, 'origin');
    if (origins.length > 1) return 'the header Origin is given more than once';
    const [given] = origins;
    if (given === undefined || allowed?.includes('*')) return undefined;
    const origin = canonicalOrigin(given);
    if (origin === undefined) return 'the origin of the page is not one that can be allowed';
    const fits = allowed === undefined ? isSameHost(origin, headerValues(request, 'host')) : allowed.includes(origin);
    return fits ? undefined : 'pages of this origin may not connect; the key `origins` lists those that may';
  };
}

/**
 * The scheme is the page's, as the TLS in front of the proxy may end elsewhere; Host leaves out the port that is the
 * scheme's own, and so does the canonical form.
 */
function isSameHost(origin: string, hosts: readonly string[]): boolean {
  const [, scheme] = /^(https?):/.exec(origin) ?? [];
  return scheme !== undefined && hosts.length === 1 && canonicalOrigin(`${scheme}://${hosts[0]}`) === origin;
}
