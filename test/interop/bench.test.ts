/** The bench with the proxies that a distribution brings; test/bench has those of npm. */
import { expect, test } from 'vitest';
import { proxies } from '../../bench/proxies/index.ts';
import { smoke, wrong } from '../bench/smoke.ts';

test.each(proxies.filter(({ name }) => ['haproxy', 'nginx'].includes(name)))(
  '$name loses, doubles and swaps nothing',
  async (kind) => {
    expect(kind.version(), `${kind.name} is not installed`).toBeDefined();
    expect(wrong(await smoke(kind.start))).toEqual([]);
  },
);
