/** Publishes numbered messages at a rate. */
import { nowMs, sleep } from '../experiment/clock.ts';
import { Connection } from './connection.ts';

export interface PublisherOptions {
  readonly url: string;
  readonly name: string;
  readonly destination: string;
  /** Messages per second. */
  readonly rate: number;
  readonly durationMs: number;
  /** Whether messages carry `holdfast-id`. */
  readonly ids: boolean;
  /** Called with a number just before its message is sent. */
  readonly onSend: (n: number) => void;
}

/** A turn of the event loop's timer; what is due by then is sent in one go. */
const TICK_MS = 2;

/** Resolves when the broker has had all of them. Bodies are `NAME NUMBER`, numbers count from 1. */
export async function publish(options: PublisherOptions): Promise<void> {
  const connection = await Connection.open(options.url, options.name);
  await Promise.race([send(connection, options), connection.failed]);
  // Answered after all that was said before.
  await connection.ask('SUBSCRIBE', { id: 'end', destination: `/topic/end-of-${options.name}` });
  await connection.close();
}

async function send(connection: Connection, options: PublisherOptions): Promise<void> {
  const { name, destination, rate, durationMs, ids, onSend } = options;
  const total = Math.round((rate * durationMs) / 1000);
  const startMs = nowMs();
  for (let n = 0; n < total; await sleep(TICK_MS)) {
    const due = Math.min(total, Math.floor(((nowMs() - startMs) * rate) / 1000));
    while (n < due) {
      onSend(++n);
      const headers = ids ? { destination, 'holdfast-id': `${name}-${n}` } : { destination };
      connection.send('SEND', headers, `${name} ${n}`);
    }
  }
}
