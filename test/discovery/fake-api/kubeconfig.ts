import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface KubeconfigParts {
  readonly server: string;
  readonly caPem: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
}

/** The text of a kubeconfig (JSON is YAML). */
export function kubeconfigText({ server, caPem, token = 'good-token', tokenFile, caFile }: KubeconfigParts): string {
  const authority =
    caFile === undefined
      ? { 'certificate-authority-data': Buffer.from(caPem).toString('base64') }
      : { 'certificate-authority': caFile };
  const user = tokenFile === undefined ? { token } : { 'auth-provider': { name: 'tokenFile', config: { tokenFile } } };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'fake', cluster: { server, ...authority } }],
    users: [{ name: 'tester', user }],
    contexts: [{ name: 'fake', context: { cluster: 'fake', user: 'tester', namespace: 'shop' } }],
    'current-context': 'fake',
  });
}

/** A folder of its own for the files of one test. */
export async function temporaryFolder(): Promise<{
  path: string;
  write(name: string, text: string): Promise<string>;
  remove(): Promise<void>;
}> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-test-'));
  return {
    path,
    write: async (name, text) => {
      await writeFile(join(path, name), text);
      return join(path, name);
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}
