/**
 * Certificates for test servers, made when a test runs so that no private key is ever stored. Node can sign but not write X.509, and
 * the smallest package for it brings twenty others, so the few ASN.1 values of a certificate are written here (RFC 5280, DER).
 */
import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';

export interface Certificate {
  readonly certPem: string;
  readonly keyPem: string;
}

export interface Authority {
  readonly caPem: string;
  /** A server certificate for 127.0.0.1 and localhost. */
  issue(): Certificate;
}

export function makeAuthority(name = 'Fake authority'): Authority {
  const ca = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const caExtensions = [
    extension('2.5.29.19', true, seq(der(0x01, Buffer.from([0xff])))), // basicConstraints: CA
    extension('2.5.29.15', true, der(0x03, Buffer.from([0x02, 0x04]))), // keyUsage: keyCertSign
  ];
  const caPem = certificate(
    { subject: name, publicKey: ca.publicKey, issuer: name, signer: ca.privateKey },
    caExtensions,
  );
  return {
    caPem,
    issue: () => {
      const server = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
      const extensions = [
        extension('2.5.29.37', false, seq(oid('1.3.6.1.5.5.7.3.1'))), // extKeyUsage: serverAuth
        extension('2.5.29.17', false, seq(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.from([127, 0, 0, 1])))),
      ];
      const to = { subject: 'fake-api', publicKey: server.publicKey, issuer: name, signer: ca.privateKey };
      const keyPem = server.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
      return { certPem: certificate(to, extensions), keyPem };
    },
  };
}

interface Parts {
  readonly subject: string;
  readonly publicKey: KeyObject;
  readonly issuer: string;
  readonly signer: KeyObject;
}

const DAY_MS = 86_400_000;

/** RFC 5280 §4.1 */
function certificate({ subject, publicKey, issuer, signer }: Parts, extensions: Buffer[]): string {
  const ecdsaWithSha256 = seq(oid('1.2.840.10045.4.3.2'));
  const serial = Buffer.concat([Buffer.from([0x01]), randomBytes(8)]);
  const body = seq(
    der(0xa0, der(0x02, Buffer.from([2]))), // version 3
    der(0x02, serial),
    ecdsaWithSha256,
    distinguishedName(issuer),
    seq(utcTime(Date.now() - DAY_MS), utcTime(Date.now() + DAY_MS)),
    distinguishedName(subject),
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, seq(...extensions)),
  );
  const signature = Buffer.concat([Buffer.from([0]), sign('sha256', body, signer)]);
  const base64 = seq(body, ecdsaWithSha256, der(0x03, signature)).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/(.{64})/g, '$1\n').trimEnd()}\n-----END CERTIFICATE-----\n`;
}

function extension(id: string, critical: boolean, value: Buffer): Buffer {
  return seq(oid(id), ...(critical ? [der(0x01, Buffer.from([0xff]))] : []), der(0x04, value));
}

function distinguishedName(commonName: string): Buffer {
  return seq(der(0x31, seq(oid('2.5.4.3'), der(0x0c, Buffer.from(commonName)))));
}

function utcTime(ms: number): Buffer {
  return der(0x17, Buffer.from(`${new Date(ms).toISOString().slice(2, 19).replace(/[-:T]/g, '')}Z`));
}

function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(0x06, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let left = value >> 7; left > 0; left >>= 7) digits.unshift((left & 0x7f) | 0x80);
  return digits;
}

function seq(...values: Buffer[]): Buffer {
  return der(0x30, Buffer.concat(values));
}

function der(tag: number, content: Buffer): Buffer {
  const n = content.length;
  const length = n < 0x80 ? [n] : n < 0x100 ? [0x81, n] : [0x82, n >> 8, n & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}
