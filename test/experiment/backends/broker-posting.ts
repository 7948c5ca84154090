/** A producer that publishes over STOMP to any node of a broker, and waits for the broker's receipt. */
import { randomUUID } from 'node:crypto';
import { Client, type IPublishParams } from '@stomp/stompjs';
import { WebSocket } from 'ws';
import type { Answer, Posting } from '../posting.ts';
import type { Random } from '../random.ts';

/** The proxy's dedup.header by default. */
const ID = 'holdfast-id';

export interface BrokerPostingOptions {
  /** HOST:PORT of the nodes that serve, at this moment. */
  readonly addresses: () => readonly string[];
  readonly random: Random;
  /** Whether messages carry `holdfast-id`, and may be tried again therefore. */
  readonly ids: boolean;
  /** Of the WebSocket endpoint. */
  readonly path: string;
  /** Whether SENDs are answered; if not, what is written counts as taken. */
  readonly receipts: boolean;
  readonly destinationOf: (user: string, destination: string) => string;
}

/**
 * Each message goes to any node. Whether one that was under way to a node that died was taken, nobody knows: with an id it goes
 * to the next node, without one it failed.
 */
export function brokerPosting(options: BrokerPostingOptions): Posting {
  const { addresses, random, ids, path, receipts, destinationOf } = options;
  const publishers = new Map<string, Promise<Publisher>>();
  const publisherOf = (address: string) => {
    const known = publishers.get(address);
    if (known !== undefined) return known;
    const made = Publisher.connect(`ws://${address}${path}`, receipts, () => publishers.delete(address));
    publishers.set(address, made);
    return made;
  };
  return {
    post: async (user, destination, body): Promise<Answer> => {
      const message = {
        destination: destinationOf(user, destination),
        body,
        headers: ids ? { [ID]: randomUUID() } : {},
      };
      let attempts = 0;
      for (const address of random.shuffled(addresses())) {
        // A node that cannot be reached has nothing: then it is the next one's turn.
        const publisher = await publisherOf(address).catch(() => undefined);
        if (publisher === undefined) continue;
        attempts++;
        if (await publisher.publish(message)) return { outcome: 'delivered', attempts };
        if (!ids) break;
      }
      return { outcome: 'failed', attempts };
    },
    close: () => {
      for (const publisher of publishers.values()) void publisher.then((it) => it.close()).catch(() => {});
    },
  };
}

/** A connection to one node, until one side ends it. */
class Publisher {
  readonly #client: Client;
  readonly #receipts: boolean;
  readonly #owed = new Map<string, (taken: boolean) => void>();
  #lastReceipt = 0;

  private constructor(client: Client, receipts: boolean) {
    this.#client = client;
    this.#receipts = receipts;
  }

  /** Rejects when it cannot be reached. */
  static connect(url: string, receipts: boolean, onEnd: () => void): Promise<Publisher> {
    const client = new Client({
      webSocketFactory: () => new WebSocket(url, ['v12.stomp']),
      reconnectDelay: 0,
      debug: () => {},
    });
    const publisher = new Publisher(client, receipts);
    return new Promise((resolve, reject) => {
      client.onConnect = () => resolve(publisher);
      client.onWebSocketClose = () => {
        onEnd();
        publisher.#end();
        reject(new Error(`${url} has closed the connection`));
      };
      client.activate();
    });
  }

  /** Whether the broker has said that it has the message, or, if it never says so, whether it was written. */
  publish({ headers = {}, ...message }: IPublishParams): Promise<boolean> {
    if (!this.#client.connected) return Promise.resolve(false);
    if (!this.#receipts) {
      this.#client.publish({ ...message, headers });
      return Promise.resolve(true);
    }
    const receipt = `r${++this.#lastReceipt}`;
    return new Promise((resolve) => {
      this.#owed.set(receipt, resolve);
      this.#client.watchForReceipt(receipt, () => this.#settle(receipt, true));
      this.#client.publish({ ...message, headers: { ...headers, receipt } });
    });
  }

  close(): void {
    void this.#client.deactivate({ force: true });
  }

  #settle(receipt: string, taken: boolean): void {
    this.#owed.get(receipt)?.(taken);
    this.#owed.delete(receipt);
  }

  #end(): void {
    for (const receipt of [...this.#owed.keys()]) this.#settle(receipt, false);
  }
}
