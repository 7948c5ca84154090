/** Whether every server behind us would read a request as we do. */
import type { IncomingMessage } from 'node:http';

/**
 * Whether a request target is a plain path, with or without a query (origin-form, RFC 9112 §3.2.1). Absolute URLs are for
 * forward proxies; a fragment or a backslash is read differently from server to server.
 */
export function isPath(target: string | undefined): target is string {
  return target !== undefined && /^\/[^#\\]*$/.test(target);
}

/** @param name in lower case */
export function isRepeated(request: IncomingMessage, name: string): boolean {
  return (request.headersDistinct[name]?.length ?? 0) > 1;
}
