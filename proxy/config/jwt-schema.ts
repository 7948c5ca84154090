/** How tokens are checked. */
import { z } from 'zod';
import { filePath } from './forms.ts';
import { choice, duration, list, matching, yesNo } from './values.ts';
import { keySetUrl } from './web.ts';

/** Signature algorithms of RFC 7518 and RFC 8037; `none` is not among them. */
export const SECRET_ALGORITHMS = ['HS256', 'HS384', 'HS512'] as const;
export const KEY_ALGORITHMS = [
  ...['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'],
] as const;

export const jwt = z.strictObject({
  header: matching('HEADER', 'the name of an HTTP header', /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}$/)
    .default('authorization')
    .meta({ description: 'Request header with the token for the source jwt; "Bearer " before it is taken off.' }),
  claim: matching('CLAIM', 'the name of a claim', /^[^\0]{1,128}$/)
    .default('sub')
    .meta({ description: 'Claim that names the user; sub is the registered claim for it (RFC 7519).' }),
  'jwks-url': keySetUrl()
    .optional()
    .meta({
      description: 'Where the public keys of the token issuer are; https unless on this machine.',
      examples: ['https://login.example.com/.well-known/jwks.json'],
    }),
  'secret-file': filePath()
    .optional()
    .meta({
      description: 'File with the secret shared with the issuer, for HS algorithms; read at the start.',
      examples: ['/etc/holdfast/jwt-secret'],
    }),
  algorithms: list(choice([...SECRET_ALGORITHMS, ...KEY_ALGORITHMS], 'ALGORITHM'), 14)
    .optional()
    .meta({
      description:
        'Signature algorithms that are accepted, no others; default RS256 and ES256 with jwks-url, HS256 with secret-file.',
      examples: [['RS256']],
    }),
  issuer: matching('ISSUER', 'the text of the claim iss', /^[^\0]{1,1024}$/)
    .optional()
    .meta({
      description: 'The claim iss must be this; not checked by default.',
      examples: ['https://login.example.com'],
    }),
  audience: matching('AUDIENCE', 'the text of the claim aud', /^[^\0]{1,1024}$/)
    .optional()
    .meta({ description: 'The claim aud must hold this; not checked by default.', examples: ['chat'] }),
  'clock-skew': duration('0s', '5m')
    .prefault('60s')
    .meta({ description: 'How far clocks may differ for exp and nbf; 60s covers machines with NTP.' }),
  'decode-only': yesNo().default(false).meta({
    description:
      'Believe tokens without checking signature or dates, because something in front of the proxy has; only from trusted-peers.',
  }),
});
