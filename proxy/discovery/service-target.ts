import { DiscoveryError } from './discovery-error.ts';

/** Which pods to follow: those behind one port of one Kubernetes Service. */
export interface ServiceTarget {
  readonly namespace: string;
  readonly service: string;
  /** The port's name in the Service; '' for the only port of a Service, which may have no name. */
  readonly portName: string;
}

/** RFC 1123 label: namespaces, port names; RFC 1035 labels (Services) are a subset but for a leading digit. */
const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/;
const FORM = 'write NAMESPACE/SERVICE:PORTNAME, like shop/backend:stomp';

/** Reads `NAMESPACE/SERVICE:PORTNAME`; `NAMESPACE/SERVICE:` stands for the only port, without a name. Throws `DiscoveryError`. */
export function parseServiceTarget(text: string): ServiceTarget {
  const [, namespace, service, portName] = /^([^/:]*)\/([^/:]*)(?::([^/:]*))?$/.exec(text) ?? [];
  if (namespace === undefined || service === undefined) throw new DiscoveryError(`"${text}" names no Service; ${FORM}`);
  if (portName === undefined) {
    throw new DiscoveryError(
      `"${text}" names no port; ${FORM}, or ${text}: (with the colon) when the Service has one port and that has no name`,
    );
  }
  if (/^\d+$/.test(portName)) {
    throw new DiscoveryError(
      `"${text}": ${portName} is a number; name the port as the Service does in spec.ports[].name, since pods may use different numbers`,
    );
  }
  return { namespace: label(namespace, 'namespace'), service: label(service, 'Service'), portName: portOf(portName) };
}

function portOf(text: string): string {
  return text === '' ? '' : label(text, 'port name');
}

function label(text: string, what: string): string {
  if (LABEL.test(text)) return text;
  throw new DiscoveryError(
    `"${text}" is not the name of a ${what}: use 1 to 63 small letters, digits or "-", beginning and ending with a letter or digit; ${FORM}`,
  );
}
