import { isIPv4, isIPv6 } from 'node:net';
import { DiscoveryError } from './discovery-error.ts';

/** RFC 1123 host name, at most 253 characters, labels of at most 63. */
const HOST_NAME = /^(?=.{1,253}$)[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/;
/** Names become ring keys, metric labels and header values; Kubernetes pod names are a subset. */
const POD_NAME = /^[A-Za-z0-9]([A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;

/** `HOST:PORT` in its one canonical spelling (lower case, IPv6 compressed and in brackets), so that equal addresses are equal strings. */
export function formatAddress(host: string, port: number): string {
  return isIPv6(host) ? `${new URL(`http://[${host}]`).hostname}:${port}` : `${host.toLowerCase()}:${port}`;
}

/** Reads `HOST:PORT` with a name, an IPv4 or a bracketed IPv6 address. Throws `DiscoveryError`. */
export function parseAddress(text: string): string {
  const [, bracketed, plain, portText] = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d{1,5})$/.exec(text) ?? [];
  const port = Number(portText);
  if (portText === undefined || port < 1 || port > 65_535) throw badAddress(text, 'it needs a port from 1 to 65535');
  if (bracketed !== undefined) {
    if (!isIPv6(bracketed) || bracketed.includes('%'))
      throw badAddress(text, 'only an IPv6 address stands in brackets');
    return formatAddress(bracketed, port);
  }
  if (plain === undefined || !isHost(plain.toLowerCase())) throw badAddress(text, 'the host is no name or IP address');
  return formatAddress(plain, port);
}

function isHost(host: string): boolean {
  // A name of digits and dots is a mistyped IPv4 address: no resolver would find it.
  return isIPv4(host) || (HOST_NAME.test(host) && !/^[\d.]+$/.test(host));
}

function badAddress(text: string, reason: string): DiscoveryError {
  return new DiscoveryError(
    `"${text}" is not an address: ${reason}; write HOST:PORT, like 10.0.0.7:8080, pod-1.local:8080 or [fd00::7]:8080`,
  );
}

/** Returns the name when it may name a pod, throws `DiscoveryError` otherwise. */
export function parsePodName(text: string): string {
  if (POD_NAME.test(text)) return text;
  throw new DiscoveryError(
    `"${text}" is not a pod name: use 1 to 253 letters, digits, ".", "_" or "-", beginning and ending with a letter or digit`,
  );
}
