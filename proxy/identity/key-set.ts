import { createRemoteJWKSet, type JWTVerifyGetKey } from 'jose';
import type { Log } from '../log.ts';

export interface KeySetOptions {
  readonly log?: Pick<Log, 'warn'>;
  readonly now?: () => number;
  /** Keys older than this are asked for again, so that a key that was taken back does not stay good. */
  readonly refreshMs?: number;
  /** Between two questions because of an unknown key: anybody can send a token with a random key id. */
  readonly cooldownMs?: number;
}

/** Issuers roll keys over days; ten minutes is what most clients of key sets use. */
const REFRESH_MS = 600_000;
const COOLDOWN_MS = 30_000;
/** A login waits for the key server only while there are no keys, and for an unknown key. */
const TIMEOUT_MS = 5_000;

/**
 * The public keys behind a URL. jose fetches them, finds the one for a token, and asks again for an unknown key id; what
 * is added here is that keys once had stay good while the server cannot be reached: they are renewed beside the traffic,
 * and only an answer replaces them.
 */
export function createKeySet(url: string, options: KeySetOptions = {}): JWTVerifyGetKey {
  const { now = Date.now, refreshMs = REFRESH_MS, cooldownMs = COOLDOWN_MS, log } = options;
  const remote = createRemoteJWKSet(new URL(url), {
    cacheMaxAge: Number.POSITIVE_INFINITY,
    cooldownDuration: cooldownMs,
    timeoutDuration: TIMEOUT_MS,
  });
  let renewAt = now() + refreshMs;
  const renew = () => {
    renewAt = now() + refreshMs;
    remote.reload().catch((error: unknown) => {
      renewAt = now() + Math.min(cooldownMs, refreshMs);
      log?.warn({ err: String(error) }, 'the keys for tokens could not be renewed; the ones at hand stay in use');
    });
  };
  return (header, token) => {
    if (now() >= renewAt && remote.jwks() !== undefined) renew();
    return remote(header, token);
  };
}
