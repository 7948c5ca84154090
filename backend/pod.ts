/** What every part of one running backend shares. */
import { randomBytes } from 'node:crypto';
import type { Broker, Message } from './broker.ts';
import { userAddress } from './destinations.ts';
import type { Faults } from './faults.ts';
import type { Settings } from './options.ts';

/** serving → draining (serves on, but says that it will end) → closing (takes nothing new) */
export type Phase = 'serving' | 'draining' | 'closing';

export interface Pod {
  readonly settings: Settings;
  readonly broker: Broker;
  readonly faults: Faults;
  readonly phase: Phase;
  /** Value of the header `server` of CONNECTED. */
  readonly server: string;
  /** A message-id that no other message of this process has. */
  nextMessageId(): string;
}

/** Ids of one process: a random start, so that two pods, or one before and after its restart, never share any. */
export function messageIds(): () => string {
  const start = randomBytes(6).toString('hex');
  let count = 0;
  return () => `${start}-${++count}`;
}

/** Delivers to the sessions of a user on this pod that subscribed to `/user` + destination; answers how many got it. */
export function deliverToUser(
  broker: Broker,
  user: string,
  destination: string,
  body: Uint8Array,
  headers: Message['headers'],
): number {
  const shown = `/user${destination}`;
  return broker.publish(userAddress(user, shown), { destination: shown, headers, body });
}
