import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import { loadConfig } from '../../proxy/config/index.ts';
import { holdfast } from './support.ts';

const folder = mkdtempSync(join(tmpdir(), 'holdfast-'));
afterAll(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

describe('holdfast check', () => {
  test('prints what is in force as YAML that says the same when it is read again', async () => {
    const config = file(
      'holdfast.yaml',
      'pods: {a: "10.0.0.1:1", b: "[::1]:2"}\nuser: [jwt, "query:u"]\norigins: ["*"]\njwt:\n  decode-only: true\n',
    );
    const argv = ['--config', config, '--trusted-peers', '10.0.0.0/8', '--hold-total', '1GiB'];
    const { code, out } = await holdfast(
      ['check', ...argv],
      {},
      { HOLDFAST_GATEWAY_URL: 'http://{address}/{user}?a=# b' },
    );
    expect(code).toBe(0);
    const first = loadConfig({ argv: ['--config', 'x'], env: {}, readFile: () => out });
    expect(first.ok && first.config.hold.totalBytes).toBe(2 ** 30);
    expect(first.ok && first.config.gateway.url).toBe('http://{address}/{user}?a=# b');
    expect(first.ok && first.config.pods).toEqual([
      { name: 'a', address: '10.0.0.1:1' },
      { name: 'b', address: '[::1]:2' },
    ]);
    expect(out).toMatch(/^pods: \{ a: 10\.0\.0\.1:1, b: "?\[::1\]:2"? \} +# .*holdfast\.yaml:1:7$/m);
    expect(out).toMatch(/^ {2}total: 1GiB +# --hold-total$/m);
    expect(out).toMatch(/^ {2}url: .* # HOLDFAST_GATEWAY_URL$/m);
    expect(out).toMatch(/^listen: 127\.0\.0\.1:8080 +# default$/m);
    expect(out).toMatch(/^# kubernetes:$/m);
  });

  test('warns on stderr of what is seldom meant', async () => {
    const { code, err } = await holdfast(['check', '--pods', 'a=b:1', '--user', 'header:Username']);
    expect(code).toBe(0);
    expect(err).toBe(
      'holdfast: warning: user has header: sources and trusted-peers is not set; whoever reaches this port can be any user\n',
    );
  });

  test('tells each file that cannot be used, with code 1', async () => {
    const short = file('short', 'x');
    const argv = ['--pods-file', join(folder, 'none'), '--user', 'jwt', '--jwt-secret-file', short];
    const { code, err } = await holdfast(['check', ...argv, '--gateway-token-file', short]);
    expect(code).toBe(1);
    expect(err.split('\n')).toEqual([
      expect.stringMatching(/^holdfast: pods-file: ENOENT: no such file or directory/),
      `holdfast: jwt.secret-file: ${short} holds 1 bytes; HS256 needs 32 or more`,
      '',
    ]);
  });

  test('shows no secret', async () => {
    const secret = file('secret', 'x'.repeat(32));
    const argv = ['check', '--pods', 'a=b:1', '--user', 'jwt', '--jwt-secret-file', secret];
    const { code, out, err } = await holdfast(argv);
    expect(code).toBe(0);
    expect(out + err).not.toContain('xxxx');
  });
});

describe('as a program', () => {
  const main = fileURLToPath(new URL('../../proxy/main.ts', import.meta.url));
  const spawned = (...argv: string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...argv], { encoding: 'utf8', env: {} });
    return { status, stdout, stderr };
  };

  test('it ends with the code of the command', () => {
    expect(spawned('check', '--pods', 'a=b:1', '--anonymous')).toMatchObject({ status: 0, stderr: '' });
    expect(spawned('check', '--pods-file', join(folder, 'none'), '--anonymous').status).toBe(1);
    const wrong = spawned('check', '--lisen', '1');
    expect({ status: wrong.status, stdout: wrong.stdout }).toEqual({ status: 2, stdout: '' });
    expect(wrong.stderr).toContain('--lisen: there is no such key; did you mean --listen?');
  });

  test('a reader that ends early is no failure', () => {
    const shell = `"${process.execPath}" "${main}" check --pods a=b:1 --anonymous | true; exit "\${PIPESTATUS[0]}"`;
    const { status, stderr } = spawnSync('bash', ['-c', shell], { encoding: 'utf8' });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});
