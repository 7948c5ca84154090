/** A wrong kubeconfig gives one clear error, and the process lives on. */
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { kubernetesSource } from '../../proxy/discovery/index.ts';
import { KubeCredentials } from '../../proxy/discovery/kube-credentials.ts';
import { kubeconfigText, makeAuthority, SliceController, startFakeApi, temporaryFolder } from './fake-api/index.ts';
import { FastClock } from './fast-clock.ts';
import { Recorder } from './recorder.ts';

const { caPem } = makeAuthority();
const GOOD = JSON.parse(kubeconfigText({ server: 'https://127.0.0.1:6443/', caPem }));

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
beforeEach(async () => {
  folder = await temporaryFolder();
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await folder.remove();
});

async function connect(kubeconfig: object | string, context?: string) {
  const text = typeof kubeconfig === 'string' ? kubeconfig : JSON.stringify(kubeconfig);
  const path = await folder.write('config', text);
  return new KubeCredentials({ kubeconfig: path, ...(context === undefined ? {} : { context }) }).connection();
}

const withUser = (user: object) => ({ ...GOOD, users: [{ name: 'tester', user }] });
const withCluster = (cluster: object) => ({
  ...GOOD,
  clusters: [{ name: 'fake', cluster: { ...GOOD.clusters[0].cluster, ...cluster } }],
});

describe('a kubeconfig', () => {
  it('gives server, certificates and token', async () => {
    const connection = await connect(GOOD);
    expect(connection).toMatchObject({
      server: 'https://127.0.0.1:6443',
      headers: { Authorization: 'Bearer good-token' },
    });
    expect(String(connection.tls.ca)).toBe(caPem);
    expect(connection.proxyAgent).toBeUndefined();
  });

  it('gives a token from a file without the line feed at its end', async () => {
    const tokenFile = await folder.write('token', 'from-file\n');
    expect((await connect(withUser({ 'token-file': tokenFile }))).headers).toEqual({
      Authorization: 'Bearer from-file',
    });
  });

  it('gives a user name and a password', async () => {
    const { headers } = await connect(withUser({ username: 'u', password: 'p' }));
    expect(headers).toEqual({ Authorization: `Basic ${Buffer.from('u:p').toString('base64')}` });
  });

  it('gives the token of a plugin, which runs once for all who wait', async () => {
    const credential = {
      apiVersion: 'client.authentication.k8s.io/v1',
      kind: 'ExecCredential',
      status: { token: 'plugged' },
    };
    const runs = join(folder.path, 'runs');
    const script = await folder.write(
      'plugin',
      `#!/bin/sh\necho run >> ${runs}\necho '${JSON.stringify(credential)}'\n`,
    );
    await chmod(script, 0o755);
    const path = await folder.write('config', JSON.stringify(withUser({ exec: { command: script } })));
    const credentials = new KubeCredentials({ kubeconfig: path });
    const [one, other] = await Promise.all([credentials.connection(), credentials.connection()]);
    expect(one.headers).toEqual({ Authorization: 'Bearer plugged' });
    expect(other).toBe(one);
  });

  it('is looked up in $KUBECONFIG', async () => {
    vi.stubEnv('KUBECONFIG', await folder.write('config', JSON.stringify(GOOD)));
    expect((await new KubeCredentials({}).connection()).server).toBe('https://127.0.0.1:6443');
  });

  it('may have a proxy between', async () => {
    expect((await connect(withCluster({ 'proxy-url': 'http://127.0.0.1:3128' }))).proxyAgent).toBeDefined();
  });

  it('may speak plain HTTP only when it says that it does not verify', async () => {
    const plain = { server: 'http://127.0.0.1:8001' };
    await expect(connect(withCluster(plain))).rejects.toThrow(
      /HTTP protocol is not allowed when skipTLSVerify is not set/,
    );
    const connection = await connect(withCluster({ ...plain, 'insecure-skip-tls-verify': true }));
    expect(connection.server).toBe('http://127.0.0.1:8001');
  });

  it.each<[string, object | string, string]>([
    ['is empty', '', 'the input is empty'],
    ['says nothing', 'null', 'it is no kubeconfig; compare it with the output of: kubectl config view'],
    ['is another text', 'hello', 'has no current-context'],
    ['is broken YAML', 'a: [', 'unexpected end'],
    [
      'has no current-context',
      { ...GOOD, 'current-context': '' },
      'it has no current-context; choose one with kubectl config use-context, from: fake',
    ],
    [
      'names a context that is not there',
      { ...GOOD, 'current-context': 'prod' },
      'it has no context "prod"; it has: fake',
    ],
    [
      'names a cluster that is not there',
      { ...GOOD, clusters: [] },
      'context "fake" names the cluster "fake", which is not there; there are: none',
    ],
    [
      'names a user that is not there',
      { ...GOOD, users: [{ name: 'other', user: {} }] },
      'context "fake" names the user "tester", which is not there; there are: other',
    ],
    [
      'has a cluster without a server',
      { ...GOOD, clusters: [{ name: 'fake', cluster: {} }] },
      'clusters[0].cluster.server is missing',
    ],
    [
      'has a server that is no URL',
      withCluster({ server: 'nowhere' }),
      'the server "nowhere" is no URL; write https://HOST:PORT',
    ],
    [
      'names a certificate file that is not there',
      withCluster({ 'certificate-authority': '/not/there/ca.crt' }),
      'the credentials cannot be used: ENOENT: no such file or directory',
    ],
    [
      'names a plugin that is not there',
      withUser({ exec: { command: '/not/there/plugin' } }),
      'the credentials cannot be used: spawn /not/there/plugin ENOENT',
    ],
    [
      'names a plugin that fails',
      withUser({ exec: { command: 'sh', args: ['-c', 'echo log in first >&2; exit 1'] } }),
      'the credentials cannot be used: log in first',
    ],
  ])('that %s is told', async (_what, kubeconfig, message) => {
    const attempt = connect(kubeconfig);
    await expect(attempt).rejects.toThrow(message);
    await expect(attempt).rejects.toThrow(/^kubeconfig \/.*config: /);
  });

  it('that is not there is told', async () => {
    const credentials = new KubeCredentials({ kubeconfig: join(folder.path, 'nowhere') });
    await expect(credentials.connection()).rejects.toThrow(
      /nowhere: the file is not there; name the right one, or set KUBECONFIG/,
    );
  });

  it('that is nowhere at all is told', async () => {
    vi.stubEnv('KUBECONFIG', '');
    vi.stubEnv('HOME', folder.path);
    await expect(new KubeCredentials({}).connection()).rejects.toThrow(
      'kubeconfig: there is none, and this is no pod with a service account; name a kubeconfig, or set KUBECONFIG',
    );
  });

  it('without the context that was asked for is told', async () => {
    await expect(connect(GOOD, 'prod')).rejects.toThrow('it has no context "prod"; it has: fake');
  });
});

describe('a source with a wrong kubeconfig', () => {
  it('is not ready, tells it once, and goes on when it is made right', async () => {
    const api = await startFakeApi();
    new SliceController(api.history, { name: 'backend', ports: [{ name: 'stomp', port: 8080 }] }).set({
      name: 'a',
      uid: '1',
      ip: '10.0.0.1',
    });
    const recorder = new Recorder();
    const clock = new FastClock(30);
    const path = join(folder.path, 'config');
    const source = kubernetesSource({ service: 'shop/backend:stomp', kubeconfig: path, log: recorder.log, clock });
    const failures = async (count: number) => {
      while (source.status(clock.now()).failures < count) await new Promise((resolve) => setTimeout(resolve, 1));
    };
    recorder.start(source);
    await failures(3);
    expect(recorder.warnings).toEqual([
      `kubeconfig ${path}: the file is not there; name the right one, or set KUBECONFIG`,
    ]);
    expect(source.status(clock.now())).toMatchObject({ ready: false, lastError: recorder.warnings[0] });

    await writeFile(path, JSON.stringify({ ...GOOD, 'current-context': '' }));
    await recorder.untilLine('it has no current-context');
    await writeFile(path, kubeconfigText({ server: 'https://127.0.0.1:1', caPem: api.caPem }));
    await recorder.untilLine(
      'cannot reach the Kubernetes API at https://127.0.0.1:1: connect ECONNREFUSED 127.0.0.1:1; check the server',
    );
    await source.stop();
    await api.stop();
  });

  it('of a cluster with another authority says that it cannot be trusted', async () => {
    const api = await startFakeApi();
    const recorder = new Recorder();
    const kubeconfig = await folder.write('config', kubeconfigText({ server: api.url, caPem }));
    const source = kubernetesSource({ service: 'shop/backend:stomp', kubeconfig, log: recorder.log });
    recorder.start(source);
    await recorder.untilLine(`the Kubernetes API at ${api.url} cannot be trusted`);
    await source.stop();
    await api.stop();
  });
});

it('a Service that cannot be read is refused at once', () => {
  const { log } = new Recorder();
  expect(() => kubernetesSource({ service: 'backend', log })).toThrow('"backend" names no Service');
});
