import { expect, test } from 'vitest';
import { negotiateVersion } from '../../stomp/index.ts';

test.each([
  [undefined, '1.0'],
  ['1.0', '1.0'],
  ['1.0,1.1', '1.1'],
  ['1.2,1.1,1.0', '1.2'],
  ['1.1, 1.2', '1.2'],
  [' 1.1 ', '1.1'],
  ['1.3,1.1', '1.1'],
  ['1.3', undefined],
  ['1.20', undefined],
  ['', undefined],
  ['__proto__', undefined],
])('accept-version %j gives %s', (offered, agreed) => {
  expect(negotiateVersion(offered)).toBe(agreed);
});
