/** How a message leaves its producer: one POST, and what became of it. */
import { Agent, request } from 'node:http';
import type { Outcome } from '../ledger/ledger.ts';
import type { Random } from './random.ts';

export interface Answer {
  readonly outcome: Outcome;
  /** Requests that reached for a pod because of it. */
  readonly attempts: number;
}

export interface Posting {
  post(user: string, destination: string, body: string): Promise<Answer>;
  close(): void;
}

/** Longer than the longest time to live of a message at the gateway. */
const ANSWER_MAX_MS = 70_000;

/** A producer that opened a connection for each message that waits would only make a busy proxy busier. */
const GATEWAY_SOCKETS_MAX = 1024;

/** Through the gateway of the proxy, which knows the owner. */
export function gatewayPosting(adminUrl: string): Posting {
  const agent = new Agent({ keepAlive: true, maxSockets: GATEWAY_SOCKETS_MAX });
  return {
    post: async (user, destination, body) => {
      const url = `${adminUrl}/v1/users/${encodeURIComponent(user)}/messages?destination=${encodeURIComponent(destination)}`;
      const text = await post(agent, url, body).catch(() => '{}');
      const { status = 'failed', attempts = 0 } = JSON.parse(text) as { status?: Outcome; attempts?: number };
      return { outcome: status, attempts };
    },
    close: () => agent.destroy(),
  };
}

/**
 * Without Holdfast a message lands on any pod. One that has not the user there drops it without a word, as Spring's
 * convertAndSendToUser does, so every answer of a pod counts as delivered to the producer's knowledge.
 *
 * @param door the path at the pods
 */
export function randomPodPosting(
  addresses: () => readonly string[],
  random: Random,
  door = '/users/{user}/messages?destination={destination}',
): Posting {
  const agent = new Agent({ keepAlive: true });
  return {
    post: async (user, destination, body) => {
      const path = door
        .replace('{user}', encodeURIComponent(user))
        .replace('{destination}', encodeURIComponent(destination));
      const url = `http://${random.pick(addresses())}${path}`;
      const answered = await post(agent, url, body).catch(() => undefined);
      return { outcome: answered === undefined ? 'failed' : 'delivered', attempts: 1 };
    },
    close: () => agent.destroy(),
  };
}

/** The body of the answer. */
function post(agent: Agent, url: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = { 'content-type': 'application/json' };
    const sent = request(url, { method: 'POST', agent, headers, timeout: ANSWER_MAX_MS }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    });
    sent.on('timeout', () => sent.destroy(new Error(`no answer within ${ANSWER_MAX_MS} ms`)));
    sent.on('error', reject);
    sent.end(body);
  });
}
