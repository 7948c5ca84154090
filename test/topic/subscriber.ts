/** Those who listen to the topic: through the proxy, or switching from node to node by themselves. */
import { textOf } from '../backend/tools.ts';
import { Connection } from './connection.ts';

export interface Heard {
  readonly publisher: string;
  readonly n: number;
}

export interface Subscriber {
  /** Rejects when a connection ends that should not. */
  readonly failed: Promise<never>;
  /** Goes to another node, where that is the subscriber's own business. */
  switchTo(url: string): Promise<void>;
  close(): Promise<void>;
}

type OnHeard = (heard: Heard) => void;

/** A client of the proxy: it is moved, and knows nothing of it. */
export async function steadySubscriber(
  url: string,
  user: string,
  destination: string,
  onHeard: OnHeard,
): Promise<Subscriber> {
  const connection = await listen(url, user, destination, onHeard);
  return { failed: connection.failed, switchTo: async () => {}, close: () => connection.close() };
}

/**
 * Make before break as it is commonly done: subscribe at the new node, and leave the old one as soon as the new one has
 * answered.
 */
export async function plainSubscriber(
  url: string,
  user: string,
  destination: string,
  onHeard: OnHeard,
): Promise<Subscriber> {
  let current = await listen(url, user, destination, onHeard);
  return {
    failed: current.failed,
    switchTo: async (next) => {
      const old = current;
      current = await listen(next, user, destination, onHeard);
      await old.ask('UNSUBSCRIBE', { id: 'topic' });
      await old.close();
    },
    close: () => current.close(),
  };
}

async function listen(url: string, user: string, destination: string, onHeard: OnHeard): Promise<Connection> {
  const connection = await Connection.open(url, user, (frame) => {
    const [publisher = '', n = ''] = textOf(frame).split(' ');
    onHeard({ publisher, n: Number(n) });
  });
  await connection.ask('SUBSCRIBE', { id: 'topic', destination });
  return connection;
}
