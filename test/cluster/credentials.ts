/** What the programs of a control plane and its administrator prove themselves with; made once for each data folder. */
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface Credentials {
  /** Of the administrator, who is in the group `system:masters`. */
  readonly token: string;
  /** For --token-auth-file. */
  readonly tokensFile: string;
  /** Signs tokens of service accounts, PEM. */
  readonly signingKeyFile: string;
  /** Verifies them. */
  readonly verifyingKeyFile: string;
}

/** Makes them, or reads what an earlier control plane has made in this folder. */
export async function credentialsIn(directory: string): Promise<Credentials> {
  const tokensFile = join(directory, 'tokens.csv');
  const signingKeyFile = join(directory, 'service-accounts.key');
  const verifyingKeyFile = join(directory, 'service-accounts.pub');
  if (!existsSync(tokensFile)) {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writePrivate(signingKeyFile, privateKey.export({ type: 'pkcs1', format: 'pem' }).toString());
    writePrivate(verifyingKeyFile, publicKey.export({ type: 'spki', format: 'pem' }).toString());
    writePrivate(tokensFile, `${randomBytes(16).toString('hex')},admin,admin,"system:masters"\n`);
  }
  const [token = ''] = (await readFile(tokensFile, 'utf8')).split(',');
  return { token, tokensFile, signingKeyFile, verifyingKeyFile };
}

function writePrivate(file: string, text: string): void {
  writeFileSync(file, text, { mode: 0o600 });
}
