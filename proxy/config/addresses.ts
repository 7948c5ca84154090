/** Values that name a place in the network. */
import { BlockList, isIP, isIPv6 } from 'node:net';
import { z } from 'zod';
import { matching, NotAllowed, text, valueKinds } from './values.ts';

export interface HostPort {
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  readonly port: number;
}

/** A pod named by hand; `address` is HOST:PORT. */
export interface NamedPod {
  readonly name: string;
  readonly address: string;
}

export interface KubernetesService {
  readonly namespace: string;
  readonly service: string;
  /** The port's name in the EndpointSlices; a number would not find a port that is named. */
  readonly portName: string;
}

/** What is asked of DNS: the addresses of a name, or its SRV records, which also know the port. */
export type DnsTarget =
  | { readonly kind: 'addresses'; readonly host: string; readonly port: number }
  | { readonly kind: 'srv'; readonly host: string };

/** A network in CIDR notation; a single address is a network of one. */
export interface Network {
  readonly address: string;
  readonly prefixBits: number;
  readonly family: 'ipv4' | 'ipv6';
}

const HOST_PORT = /^(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?)):(\d{1,5})$/;

/** undefined for what is not HOST:PORT with a port up to 65535; an IPv6 host stands in brackets. */
export function parseHostPort(input: string): HostPort | undefined {
  const [, ipv6, name, digits] = HOST_PORT.exec(input) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) return undefined;
  if (ipv6 !== undefined) return isIPv6(ipv6) ? { host: ipv6, port } : undefined;
  return { host: name ?? '', port };
}

export function formatHostPort({ host, port }: HostPort): string {
  return isIPv6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Where to listen; port 0 lets the system choose one. */
export const listenAddress = () =>
  text('HOST:PORT', 'HOST:PORT', (input): HostPort => {
    const parsed = parseHostPort(input);
    if (parsed === undefined) throw new NotAllowed('must be HOST:PORT; 0.0.0.0 or [::] as HOST means every interface');
    return parsed;
  });

const podAddress = () =>
  text('HOST:PORT', 'HOST:PORT', (input): string => {
    const parsed = parseHostPort(input);
    if (parsed === undefined || parsed.port === 0)
      throw new NotAllowed('must be HOST:PORT, with a port from 1 to 65535');
    return input;
  });

export const POD_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?$/;

const podName = () =>
  matching(
    'NAME',
    'a name of 1 to 253 letters, digits, dots, dashes and underscores between letters or digits',
    POD_NAME,
  );

/** A YAML map of name to HOST:PORT; NAME=HOST:PORT,… as a flag or variable. */
export function podMap() {
  const schema = z
    .record(podName(), podAddress(), { error: 'must be a map of pod name to HOST:PORT' })
    .transform((pods, context): readonly NamedPod[] => {
      const named = Object.entries(pods).map(([name, address]) => ({ name, address }));
      if (named.length === 0) context.addIssue({ code: 'custom', message: 'must name at least one pod' });
      for (const twice of sharedAddresses(named))
        context.addIssue({ code: 'custom', message: `gives ${twice} to two pods; each pod has an address of its own` });
      return named;
    });
  valueKinds.add(schema, { placeholder: 'NAME=HOST:PORT,…' });
  return schema;
}

function sharedAddresses(pods: readonly NamedPod[]): string[] {
  const seen = new Set<string>();
  return pods.map((pod) => pod.address).filter((address) => seen.has(address) || !seen.add(address));
}

// RFC 1123 labels for namespace and service; port names are IANA service names (RFC 6335 section 5.1).
const KUBERNETES = /^([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)\/([a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?):([a-z0-9-]{1,15})$/;

export const kubernetesService = () =>
  text('NAMESPACE/SERVICE:PORTNAME', 'NAMESPACE/SERVICE:PORTNAME', (input): KubernetesService => {
    const [, namespace, service, portName] = KUBERNETES.exec(input) ?? [];
    if (namespace === undefined || service === undefined || portName === undefined)
      throw new NotAllowed('must be NAMESPACE/SERVICE:PORTNAME in lower case');
    if (/^\d+$/.test(portName)) throw new NotAllowed(`must name the port as the Service does, not by its number`);
    return { namespace, service, portName };
  });

// RFC 2782: _SERVICE._PROTOCOL.NAME; a Service's port name is an IANA service name of at most 15 characters.
const SRV = /^_[a-z0-9-]{1,15}\._tcp(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?){1,16}$/;

export const dnsTarget = () =>
  text('HOST:PORT', 'HOST:PORT or _PORTNAME._tcp.HOST', (input): DnsTarget => {
    if (SRV.test(input)) return { kind: 'srv', host: input };
    const parsed = parseHostPort(input);
    if (parsed === undefined || parsed.port === 0 || isIP(parsed.host) !== 0)
      throw new NotAllowed(
        'must be the name of a headless Service as HOST:PORT, or of its SRV records as _PORTNAME._tcp.HOST',
      );
    return { kind: 'addresses', ...parsed };
  });

/** undefined for what is neither an IP address nor one with /PREFIX. */
export function parseNetwork(input: string): Network | undefined {
  const [address = '', prefix, ...rest] = input.split('/');
  const version = isIP(address);
  const most = version === 6 ? 128 : 32;
  const prefixBits = prefix === undefined ? most : /^\d{1,3}$/.test(prefix) ? Number(prefix) : -1;
  if (version === 0 || rest.length > 0 || prefixBits < 0 || prefixBits > most || address.includes('%'))
    return undefined;
  return { address, prefixBits, family: version === 6 ? 'ipv6' : 'ipv4' };
}

export const network = () =>
  text('CIDR', 'a network such as 10.0.0.0/8', (input): Network => {
    const parsed = parseNetwork(input);
    if (parsed === undefined) throw new NotAllowed('must be an IP address or a network in CIDR notation');
    return parsed;
  });

/** An address of a socket without its zone; IPv4 peers of a dual-stack socket (::ffff:a.b.c.d) are told as IPv4. */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=\d+\.\d+\.\d+\.\d+$)/i, '').replace(/%.*$/, '');
}

/** Whether an address, as a socket gives it, stands in one of the networks. */
export function networkMatcher(networks: readonly Network[]): (address: string) => boolean {
  const listed = new BlockList();
  for (const { address, prefixBits, family } of networks) listed.addSubnet(address, prefixBits, family);
  return (address) => {
    const plain = plainAddress(address);
    const version = isIP(plain);
    return version !== 0 && listed.check(plain, version === 6 ? 'ipv6' : 'ipv4');
  };
}
