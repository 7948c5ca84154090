/** A queue of jobs whose worker acknowledges each, while it is moved to the other pod and back. */
import type { IMessage } from '@stomp/stompjs';
import { expect } from 'vitest';
import { receipt, type Stage } from './stage.ts';

export interface JobsOptions {
  readonly queue: string;
  readonly ack: 'client' | 'client-individual';
  /** More headers of SUBSCRIBE. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface JobsOutcome {
  /** Jobs that came again without `redelivered:true`. */
  readonly unmarked: readonly string[];
  /** What was left in the queue after the worker had gone. */
  readonly left: readonly string[];
}

const DONE_MAX_MS = 10_000;

/** Resolves when every job has been done at least once, and the worker, still connected, has gone in order. */
export async function workWhileMoved(stage: Stage, { queue, ack, headers }: JobsOptions): Promise<JobsOutcome> {
  const worker = await stage.proxied(`worker-${ack}`);
  const done = new Set<string>();
  const unmarked: string[] = [];
  const work = (message: IMessage) => {
    if (done.has(message.body) && message.headers['redelivered'] !== 'true') unmarked.push(message.body);
    done.add(message.body);
    setImmediate(() => message.ack());
  };
  await receipt(worker, (asked) => worker.subscribe(queue, work, { ...asked, ...headers, ack }));
  const jobs = await produceUntil(stage, queue, async () => {
    await stage.move();
    await stage.move();
  });
  await expect.poll(() => done.size, { timeout: DONE_MAX_MS }).toBe(jobs);
  expect(worker.connected).toBe(true);
  await receipt(worker, (asked) => worker.publish({ destination: '/topic/nobody', headers: asked }));
  await worker.deactivate();
  return { unmarked, left: await leftIn(stage, queue) };
}

/** One after the other until `act` is done. Resolves with their number. */
async function produceUntil(stage: Stage, queue: string, act: () => Promise<void>): Promise<number> {
  const producer = await stage.direct();
  let [jobs, isActing] = [0, true];
  const sending = (async () => {
    while (isActing) {
      await receipt(producer, (headers) => producer.publish({ destination: queue, body: `${++jobs}`, headers }));
    }
  })();
  await act();
  isActing = false;
  await sending;
  return jobs;
}

async function leftIn(stage: Stage, queue: string): Promise<string[]> {
  const reader = await stage.direct();
  const left: string[] = [];
  await receipt(reader, (headers) => reader.subscribe(queue, ({ body }) => left.push(body), headers));
  await receipt(reader, (headers) => reader.publish({ destination: '/topic/nobody', headers }));
  return left;
}
