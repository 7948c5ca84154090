/** A client that does nothing wrong: stock stomp.js, and an echo to see that nothing disturbs it. */
import { Client } from '@stomp/stompjs';
import { WebSocket } from 'ws';

/** On loopback an echo takes milliseconds; so long, and something is stuck. */
const ECHO_MAX_MS = 10_000;

export class Bystander {
  readonly #client: Client;
  #turn = 0;
  #closed = false;
  #heard = (_body: string) => {};

  private constructor(client: Client) {
    this.#client = client;
  }

  /** @param url http://HOST:PORT */
  static join(url: string, user: string): Promise<Bystander> {
    return new Promise((resolve) => {
      const client = new Client({
        webSocketFactory: () =>
          new WebSocket(`${url.replace(/^http/, 'ws')}/ws`, ['v12.stomp'], { headers: { Username: user } }),
        reconnectDelay: 0,
        debug: () => {},
      });
      const bystander = new Bystander(client);
      client.onConnect = () => {
        client.watchForReceipt('live', () => resolve(bystander));
        client.subscribe('/user/queue/echo', ({ body }) => bystander.#heard(body), { receipt: 'live' });
      };
      client.onWebSocketClose = () => {
        bystander.#closed = true;
      };
      client.activate();
    });
  }

  /** Rejects when it was closed, or when what it says does not come back. */
  isWell(): Promise<void> {
    const text = `turn ${++this.#turn}`;
    return new Promise((resolve, reject) => {
      if (this.#closed) return reject(new Error('a bystander was closed'));
      const timer = setTimeout(() => reject(new Error('a bystander hears no echo')), ECHO_MAX_MS);
      this.#heard = (body) => {
        clearTimeout(timer);
        if (body === text) resolve();
        else reject(new Error(`a bystander hears ${body}, not ${text}`));
      };
      this.#client.publish({ destination: '/app/echo', body: text });
    });
  }

  async leave(): Promise<void> {
    await this.#client.deactivate();
  }
}
