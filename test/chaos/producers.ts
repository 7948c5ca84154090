/**
 * The producers of a run, both ways there are: the library, which sends to the pods by the ring it follows, over STOMP and
 * through the fault doors; and the gateway, for one user in GATEWAY_EVERY. A message at the gateway is two HTTP requests, which
 * cost more than all the rest of its way, and the mass of messages is there to load the sessions.
 */

import { createProducer, followRing, stompTransport } from '../../producer/index.ts';
import { gatewayPosting, type Posting } from '../experiment/posting.ts';

export const GATEWAY_EVERY = 4;
/** The user of service links, who may send to all others. */
export const SERVICE_USER = 'producer';

export interface Producers extends Posting {
  /** Closes what is kept open for the next message and no part of the proxy's own. */
  rest(): void;
}

/** Resolves when the library has learnt the rings. */
export async function openProducers(adminUrl: string): Promise<Producers> {
  const gateway = gatewayPosting(adminUrl);
  const ring = followRing(`${adminUrl}/v1/ring`);
  await ring.ready();
  const library = createProducer({ ring, transport: stompTransport({ headers: { Username: SERVICE_USER } }) });
  return {
    post: async (user, destination, body) => {
      if (isAtGateway(user)) return gateway.post(user, destination, body);
      const { status, attempts } = await library.send(user, destination, body);
      return { outcome: status, attempts };
    },
    rest: () => gateway.close(),
    close: () => {
      gateway.close();
      void library.close();
    },
  };
}

/** @param user one whose name ends with its number */
function isAtGateway(user: string): boolean {
  return Number(/\d+$/.exec(user)?.[0] ?? 0) % GATEWAY_EVERY === 0;
}
