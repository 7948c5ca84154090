/** Both pods are moved away from, ended by SIGTERM and started again, one after the other, under the messages of a topic. */
import { expect } from 'vitest';
import { nowMs } from '../experiment/clock.ts';
import { Ledger, type Tally } from '../ledger/ledger.ts';
import { receipt, type Stage } from './stage.ts';

const STREAM = { user: 'reader', destination: '/topic/replaced' };
const BEFORE_AND_AFTER = 100;
const ARRIVED_MAX_MS = 10_000;

/** A message is published at the pod that is staying, as soon as the last one is confirmed. */
export async function replaceAll(stage: Stage): Promise<Tally> {
  const ledger = new Ledger();
  const client = await stage.proxied(STREAM.user);
  const heard = ({ body }: { body: string }) => ledger.received(STREAM, Number(body), nowMs());
  await receipt(client, (headers) => client.subscribe(STREAM.destination, heard, headers));
  let n = 0;
  for (let round = 0; round < 2; round++) {
    const producer = await stage.direct();
    const publish = async () => {
      ledger.sent(STREAM, ++n, nowMs());
      await receipt(producer, (headers) =>
        producer.publish({ destination: STREAM.destination, body: `${n}`, headers }),
      );
    };
    for (let count = 0; count < BEFORE_AND_AFTER; count++) await publish();
    let isMoving = true;
    const moved = stage.move().finally(() => {
      isMoving = false;
    });
    while (isMoving) await publish();
    await moved;
    for (let count = 0; count < BEFORE_AND_AFTER; count++) await publish();
    await expect.poll(() => ledger.complete, { timeout: ARRIVED_MAX_MS }).toBe(true);
    await producer.deactivate();
    await stage.restartOld();
  }
  expect(client.connected).toBe(true);
  return ledger.tally();
}
