/** kubectl (client-go) lists and watches the fake API server: the proof that the fake speaks what a stranger understands. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FakeApi, kubeconfigText, SliceController, startFakeApi, temporaryFolder } from './fake-api/index.ts';

const installed = spawnSync('kubectl', ['version', '--client']).status === 0;
const A = { name: 'a', uid: 'uid-a', ip: '10.0.0.1' };
const B = { name: 'b', uid: 'uid-b', ip: '10.0.0.2' };

describe.runIf(installed)('kubectl', () => {
  let api: FakeApi;
  let controller: SliceController;
  let folder: Awaited<ReturnType<typeof temporaryFolder>>;
  let options: string[];
  let child: ChildProcess | undefined;

  beforeEach(async () => {
    api = await startFakeApi();
    controller = new SliceController(api.history, {
      name: 'backend',
      ports: [{ name: 'stomp', port: 8080 }],
      sliceSize: 1,
    });
    controller.set(A, B);
    folder = await temporaryFolder();
    const kubeconfig = await folder.write('config', kubeconfigText({ server: api.url, caPem: api.caPem }));
    options = ['--kubeconfig', kubeconfig, '--cache-dir', join(folder.path, 'cache')];
  });

  afterEach(async () => {
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      child.kill();
      await once(child, 'exit');
    }
    child = undefined;
    await api.stop();
    await folder.remove();
  });

  function kubectl(...args: string[]) {
    const running = spawn('kubectl', [...options, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    child = running;
    const output = { out: '', err: '' };
    running.stdout.on('data', (chunk) => {
      output.out += chunk;
    });
    running.stderr.on('data', (chunk) => {
      output.err += chunk;
    });
    const untilOut = async (pattern: RegExp) => {
      while (!pattern.test(output.out)) await once(running.stdout, 'data');
    };
    return { running, output, untilOut };
  }

  async function outputOf(...args: string[]) {
    const { running, output } = kubectl(...args);
    const [code] = await once(running, 'close');
    return { code, ...output };
  }

  it('lists', async () => {
    expect(await outputOf('get', 'endpointslices', '-o', 'name')).toEqual({
      code: 0,
      out: 'endpointslice.discovery.k8s.io/backend-ipv4-0\nendpointslice.discovery.k8s.io/backend-ipv4-1\n',
      err: '',
    });
  });

  it('lists in pages, all namespaces, by label', async () => {
    api.pageSize = 1;
    new SliceController(api.history, { name: 'other', namespace: 'far', ports: [] });
    const names = async (...args: string[]) =>
      (await outputOf('get', 'endpointslices', '-o', 'name', ...args)).out.trim().split('\n').length;
    expect(await names('-A')).toBe(3);
    expect(await names('-A', '-l', 'kubernetes.io/service-name=backend')).toBe(2);
    expect(await names('-n', 'far')).toBe(1);
  });

  it('watches what is added, modified and deleted', async () => {
    const columns = 'custom-columns=T:.type,N:.object.metadata.name,A:.object.endpoints[*].addresses[*]';
    const { untilOut } = kubectl(
      'get',
      'endpointslices',
      '--watch',
      '--output-watch-events',
      '--no-headers',
      '-o',
      columns,
    );
    await untilOut(/ADDED +backend-ipv4-1 +10\.0\.0\.2/);
    await api.until((api) => api.watches.size === 1);
    controller.set({ ...A, deleting: true });
    await untilOut(/MODIFIED +backend-ipv4-0 +10\.0\.0\.1/);
    controller.remove('uid-b');
    await untilOut(/DELETED +backend-ipv4-1 +10\.0\.0\.2/);
  });

  it('is told when it has no right to look', async () => {
    api.fail('list', { status: 403, message: 'endpointslices is forbidden' });
    const { code, err } = await outputOf('get', 'endpointslices');
    expect(code).toBe(1);
    expect(err).toContain('Error from server (Forbidden): endpointslices is forbidden');
  });

  it('is told when a page is too old', async () => {
    api.pageSize = 1;
    api.fail('list', { delayMs: 0 });
    api.fail('list', { status: 410, message: 'The provided continue parameter is too old' });
    const { code, err } = await outputOf('get', 'endpointslices', '-o', 'name');
    expect(code).toBe(1);
    expect(err).toContain('The provided continue parameter is too old');
  });
});
