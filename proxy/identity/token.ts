/** JSON Web Tokens: who vouches for a user, checked or (if so configured) only decoded. */
import { readFileSync } from 'node:fs';
import { decodeJwt, errors, type JWTPayload, type JWTVerifyGetKey, jwtVerify } from 'jose';
import type { Config } from '../config/index.ts';
import { createKeySet, type KeySetOptions } from './key-set.ts';
import { found, type Reading, wrong } from './reading.ts';

export type JwtConfig = Config['jwt'];

/** From the token as it was sent to the name in the configured claim. */
export type TokenReader = (token: string) => Promise<Reading>;

const DEFAULT_ALGORITHMS = { secret: ['HS256'], keys: ['RS256', 'ES256'] } as const;

/** RFC 7518 section 3.2: a key at least as long as the hash. */
const SECRET_BYTES: Record<string, number> = { HS256: 32, HS384: 48, HS512: 64 };

/** Throws an Error that names the key when the secret cannot be read or is too short. */
export function createTokenReader(config: JwtConfig, options: KeySetOptions = {}): TokenReader {
  const payloadOf = config.decodeOnly ? decode : verifier(config, options);
  return async (token) => {
    try {
      return claimOf(await payloadOf(token), config.claim);
    } catch (error) {
      return wrong(401, reasonOf(error));
    }
  };
}

async function decode(token: string): Promise<JWTPayload> {
  return decodeJwt(token);
}

function verifier(config: JwtConfig, options: KeySetOptions): (token: string) => Promise<JWTPayload> {
  const { key, algorithms } = keyOf(config, options);
  const now = options.now ?? Date.now;
  return async (token) => {
    const { payload } = await jwtVerify(token, key, {
      algorithms,
      ...(config.issuer === undefined ? {} : { issuer: config.issuer }),
      ...(config.audience === undefined ? {} : { audience: config.audience }),
      clockTolerance: config.clockSkewMs / 1000,
      currentDate: new Date(now()),
      // A token that never ends cannot be taken back.
      requiredClaims: ['exp'],
    });
    return payload;
  };
}

function keyOf(config: JwtConfig, options: KeySetOptions): { key: JWTVerifyGetKey; algorithms: string[] } {
  if (config.jwksUrl !== undefined) {
    const algorithms = [...(config.algorithms ?? DEFAULT_ALGORITHMS.keys)];
    return { key: createKeySet(config.jwksUrl, options), algorithms };
  }
  const algorithms = [...(config.algorithms ?? DEFAULT_ALGORITHMS.secret)];
  const secret = readSecret(config.secretFile, algorithms);
  return { key: async () => secret, algorithms };
}

/** The bytes of the file; a line end after them is the editor's, not the secret's. */
function readSecret(file: string | undefined, algorithms: readonly string[]): Uint8Array {
  if (file === undefined) throw new Error('jwt: one of jwks-url, secret-file and decode-only must be given');
  let text: string;
  try {
    text = readFileSync(file, 'latin1');
  } catch (error) {
    throw new Error(`jwt.secret-file: cannot be read: ${(error as Error).message}`);
  }
  const secret = Buffer.from(text.replace(/\r?\n$/, ''), 'latin1');
  const least = Math.max(...algorithms.map((name) => SECRET_BYTES[name] ?? 0));
  if (secret.length < least)
    throw new Error(
      `jwt.secret-file: ${file} holds ${secret.length} bytes; ${algorithms.join(', ')} needs ${least} or more`,
    );
  return secret;
}

function claimOf(payload: JWTPayload, claim: string): Reading {
  const value = payload[claim];
  if (typeof value === 'string') return found(value);
  if (Number.isSafeInteger(value)) return found(String(value));
  return wrong(401, `the token has no claim ${claim} with a text or whole number`);
}

/** Safe to show to the client: names what was checked, never what stood in the token. */
function reasonOf(error: unknown): string {
  if (error instanceof errors.JWTExpired) return 'the token has expired';
  if (error instanceof errors.JWTClaimValidationFailed) {
    if (error.claim === 'nbf' && error.reason === 'check_failed') return 'the token is not valid yet';
    return `the claim ${error.claim} of the token is ${error.reason === 'missing' ? 'missing' : 'not the right one'}`;
  }
  if (error instanceof errors.JWSSignatureVerificationFailed) return 'the signature of the token does not match';
  if (error instanceof errors.JOSEAlgNotAllowed) return 'the token is signed with an algorithm that is not accepted';
  if (error instanceof errors.JWKSNoMatchingKey || error instanceof errors.JWKSMultipleMatchingKeys)
    return 'the token is signed with a key that is not known';
  if (
    error instanceof errors.JWTInvalid ||
    error instanceof errors.JWSInvalid ||
    error instanceof errors.JOSENotSupported
  )
    return 'the token cannot be read';
  return 'the keys to check the token cannot be had now; try again';
}
