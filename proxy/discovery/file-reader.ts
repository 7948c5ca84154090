import type { BigIntStats } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { DiscoveryError } from './discovery-error.ts';

/** What one look at a file found, and a signature that differs when the file does. */
export type FileReading = { readonly signature: string } & (
  | { readonly kind: 'text'; readonly text: string }
  /** It changed while it was read. */
  | { readonly kind: 'torn' }
  /** It can be read, but is nothing that could be used. */
  | { readonly kind: 'bad'; readonly error: DiscoveryError }
);

/** The signature alone: which file it is, its size, when it was written. Throws system errors. */
export async function signatureOfFile(path: string): Promise<string> {
  return signatureOf(await stat(path, { bigint: true }));
}

/** Reads a file whole, as UTF-8. Throws system errors (missing, no permission). */
export async function readWholeFile(path: string, maxBytes: number): Promise<FileReading> {
  const stats = await stat(path, { bigint: true });
  // Asked before opening: opening a pipe waits for a writer.
  if (!stats.isFile()) return bad(signatureOf(stats), 'it is not a regular file');
  const file = await open(path, 'r');
  try {
    const signature = signatureOf(await file.stat({ bigint: true }));
    const bytes = await readBounded(file, maxBytes);
    if (bytes === 'tooLarge') return bad(signature, `it is larger than ${maxBytes} bytes`);
    if (signatureOf(await file.stat({ bigint: true })) !== signature) return { signature, kind: 'torn' };
    const text = decode(bytes);
    return text === undefined ? bad(signature, 'it is not UTF-8 text') : { signature, kind: 'text', text };
  } finally {
    await file.close();
  }
}

function bad(signature: string, reason: string): FileReading {
  return { signature, kind: 'bad', error: new DiscoveryError(reason) };
}

function signatureOf(stats: BigIntStats): string {
  return `${stats.dev}:${stats.ino}:${stats.size}:${stats.mtimeNs}:${stats.ctimeNs}`;
}

async function readBounded(file: FileHandle, maxBytes: number): Promise<Uint8Array | 'tooLarge'> {
  const buffer = new Uint8Array(maxBytes + 1);
  let length = 0;
  for (;;) {
    const { bytesRead } = await file.read(buffer, length, buffer.length - length, length);
    length += bytesRead;
    if (length > maxBytes) return 'tooLarge';
    if (bytesRead === 0) return buffer.subarray(0, length);
  }
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
