import { loadConfig } from '../../proxy/config/index.ts';
import {
  type ConnectFrame,
  createIdentifier,
  type Identifier,
  type UpgradeRequest,
} from '../../proxy/identity/index.ts';
import type { KeySetOptions } from '../../proxy/identity/key-set.ts';

/** An identifier as these flags configure it. */
export function identifier(argv: readonly string[], options: KeySetOptions = {}): Identifier {
  const loaded = loadConfig({ argv: ['--pods', 'pod-1=127.0.0.1:1', ...argv], env: {}, readFile: () => '' });
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.problems));
  return createIdentifier(loaded.config, options);
}

/** A request from 10.0.0.9 with these headers, each `Name: value`. */
export function request(headers: readonly string[] = [], changes: Partial<UpgradeRequest> = {}): UpgradeRequest {
  const rawHeaders = headers.flatMap((line) => {
    const at = line.indexOf(':');
    return [line.slice(0, at), line.slice(at + 1).trim()];
  });
  return { rawHeaders, url: '/ws', remoteAddress: '10.0.0.9', encrypted: false, ...changes };
}

/** A CONNECT frame with these headers, as far as identity reads it. */
export function connect(headers: readonly (readonly [string, string])[] = []): ConnectFrame {
  return { header: (name) => headers.find(([given]) => given === name)?.[1], headers: () => headers };
}
