export type Version = '1.0' | '1.1' | '1.2';

/** WebSocket subprotocols, best first: the order in which to offer them and to choose from an offer. */
export const SUBPROTOCOLS = ['v12.stomp', 'v11.stomp', 'v10.stomp'] as const;

const BEST_FIRST: readonly Version[] = ['1.2', '1.1', '1.0'];

/**
 * The highest version in an `accept-version` header. A CONNECT without that header is a STOMP 1.0 client (STOMP 1.1 and
 * 1.2, "Protocol Negotiation"). Blanks round the commas are accepted, since clients send them.
 *
 * @returns undefined when the list holds no version that is spoken here: answer ERROR and close.
 */
export function negotiateVersion(acceptVersion: string | undefined): Version | undefined {
  if (acceptVersion === undefined) return '1.0';
  const offered = new Set(acceptVersion.split(',').map((version) => version.trim()));
  return BEST_FIRST.find((version) => offered.has(version));
}
