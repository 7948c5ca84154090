import { describe, expect, test } from 'vitest';
import { keys } from '../../proxy/config/index.ts';
import { holdfast } from './support.ts';

describe('help and version', () => {
  test('are text on stdout and code 0', async () => {
    expect(await holdfast(['--version'])).toEqual({
      code: 0,
      out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
      err: '',
    });
    const help = await holdfast(['--help']);
    expect(help).toMatchObject({ code: 0, err: '' });
    for (const command of ['serve', 'check', 'ring', 'start']) expect(help.out).toContain(`  ${command} `);
  });

  test.each(['serve', 'check'])('%s --help names every flag with its description and default', async (command) => {
    const { code, out } = await holdfast([command, '--listen', 'x', '--help']);
    expect(code).toBe(0);
    const flat = out.replaceAll(/\s+/g, ' ');
    for (const key of keys) {
      expect(out).toContain(`  --${key.flag}`);
      expect(flat).toContain(key.description);
    }
    expect(flat).toContain(
      'How long sessions are kept while no pod can be reached; then ERROR and close 1013. (default 60s)',
    );
    expect(out).toContain('--config <FILE>');
  });

  test.each(['ring', 'start'])('%s --help', async (command) => {
    expect(await holdfast([command, '--help'])).toMatchObject({ code: 0, err: '' });
  });
});

describe('wrong usage is told on stderr with code 2', () => {
  test.each([
    [[], 'Usage: holdfast'],
    [['sreve'], 'Did you mean serve?'],
    [['--listen', '1.2.3.4:5'], "unknown option '--listen'"],
    [['start', 'now'], 'too many arguments'],
    [['ring'], "required option '--pods <a,b,c>' not specified"],
    [['ring', '--pods', 'a,,b'], 'Write names separated by commas'],
    [['ring', '--pods', 'a', '--users', '0'], 'Write a whole number'],
    [['ring', '--pods', 'a', '--user-s', '1'], "unknown option '--user-s'"],
    [['serve', '--pods', 'a=b:1'], 'nothing says who a client is'],
    [['check', 'now', '--pods', 'a=b:1', '--anonymous'], 'now: is no flag'],
  ])('%j', async (argv, told) => {
    const { code, out, err } = await holdfast(argv);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err).toContain(told);
  });
});
