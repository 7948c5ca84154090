import { spawnSync } from 'node:child_process';
import { describe, expect, test } from 'vitest';
import { createLog, createUserField } from '../proxy/log.ts';

function lines(level: 'info' | 'warn') {
  const written: string[] = [];
  return { log: createLog({ level, users: false }, { write: (line) => written.push(line) }), written };
}

describe('a log', () => {
  test('is one JSON object a line, with level and time as text', () => {
    const { log, written } = lines('info');
    log.child({ session: 7 }).info({ pod: 'a' }, 'moved\nfar');
    expect(written).toHaveLength(1);
    expect(written[0]?.trimEnd()).not.toContain('\n');
    expect(JSON.parse(written[0] ?? '')).toEqual({
      ...{ level: 'info', session: 7, pod: 'a', msg: 'moved\nfar' },
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    });
  });

  test('leaves out what is below its level', () => {
    const { log, written } = lines('warn');
    log.info({}, 'no');
    log.warn({}, 'yes');
    expect(written).toHaveLength(1);
  });
});

describe('a user in a log', () => {
  test('is named only when asked for', () => {
    expect(createUserField({ users: true })('alice')).toEqual({ user: 'alice' });
    const field = createUserField({ users: false });
    expect(field('alice')).toEqual({ userHash: expect.stringMatching(/^[0-9a-f]{12}$/) });
    expect(field('alice')).toEqual(createUserField({ users: false })('alice'));
    expect(field('alice')).not.toEqual(field('bob'));
  });
});

test('a process that ends in the middle of a turn has written its lines', () => {
  const script = `
    import { createStdoutLog } from ${JSON.stringify(new URL('../proxy/log.ts', import.meta.url).href)};
    const { log } = createStdoutLog({ level: 'info', users: false }, process.stdout);
    log.error('the last words');
    process.exit(3);
  `;
  const { status, stdout } = spawnSync(process.execPath, ['--input-type=module', '--eval', script], {
    encoding: 'utf8',
  });
  expect([status, JSON.parse(stdout).msg]).toEqual([3, 'the last words']);
});
