/** The gateway, put together: producers of other languages get what the library gives, with what this proxy knows besides. */
import { readFileSync } from 'node:fs';
import { createProducer, httpTransport, localRing, stompTransport, type Transport } from '../producer/index.ts';
import type { Door } from './admin/index.ts';
import type { Config } from './config/index.ts';
import { createMessageDoor, createRingDoor, type RingFacts } from './gateway/index.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';
import type { Switchboard } from './relay/switchboard.ts';
import { longestTtlMs } from './settings.ts';

/** What the gateway knows besides the rings: where each user of this proxy is. */
export type GatewayFacts = Pick<Switchboard, 'rings' | 'onRing' | 'keyOf' | 'isMoving'>;

export interface Gateway {
  readonly doors: readonly Door[];
  /** Messages under way get this long to end by themselves. */
  close(drainMs: number): Promise<void>;
}

/** Throws when a token or passcode file cannot be read. */
export function createGateway(config: Config, facts: GatewayFacts, metrics: Metrics, log: Log): Gateway {
  const { gateway } = config;
  const ring: RingFacts = { current: () => facts.rings(), subscribe: (changed) => facts.onRing(changed) };
  const producer = createProducer({
    ring: localRing({
      snapshot: () => facts.rings(),
      ownerHint: (user) => facts.keyOf(user),
      moving: (user) => facts.isMoving(user),
    }),
    transport: createTransport(config, log),
    ttlMs: gateway.ttlMs,
    maxTtlMs: longestTtlMs(config),
    maxQueued: gateway.inFlight,
  });
  const messages = createMessageDoor({
    ...{ producer, metrics, maxBodyBytes: gateway.maxBodyBytes, maxInFlight: gateway.inFlight },
    token: secretFrom('gateway.token-file', gateway.tokenFile),
  });
  return { doors: [messages, createRingDoor({ ring, metrics })], close: (drainMs) => producer.close({ drainMs }) };
}

function createTransport({ gateway, backend }: Config, log: Log): Transport {
  if (gateway.transport === 'http') return httpTransport({ url: gateway.url });
  const passcode = secretFrom('gateway.passcode-file', gateway.passcodeFile);
  return stompTransport({
    path: gateway.path,
    secure: backend.tls,
    receipts: gateway.receipts,
    log,
    login: {
      ...(gateway.login === undefined ? {} : { login: gateway.login }),
      ...(passcode === undefined ? {} : { passcode }),
    },
  });
}

/** The first line of a file; files that editors and `kubectl create secret` write may or may not end with a new line. */
function secretFrom(key: string, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  const [secret = ''] = readSecret(key, file).split('\n', 1);
  if (secret.trim() === '') throw new Error(`${key}: ${file} is empty; put the secret on its first line`);
  return secret.trim();
}

function readSecret(key: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new Error(`${key}: ${file} cannot be read: ${error instanceof Error ? error.message : error}`);
  }
}
