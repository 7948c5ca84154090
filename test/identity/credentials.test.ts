/** Which requests say the same of their user. */
import { describe, expect, test } from 'vitest';
import { identifier, request } from './support.ts';

const SOURCES = ['--user', 'header:Username,cookie:session,query:user', '--trusted-peers', '10.0.0.9'];

describe('two requests say the same', () => {
  const { credentials } = identifier(SOURCES);
  const given = credentials(request(['Username: alice', 'Cookie: session=1; other=2'], { url: '/ws?user=a' }));

  test.each([
    [
      'with other headers and cookies beside',
      request(['username: alice', 'Accept: x', 'Cookie: session=1'], { url: '/ws/x?user=a&t=1' }),
      true,
    ],
    ['not with another header', request(['Username: bob', 'Cookie: session=1'], { url: '/ws?user=a' }), false],
    ['not with another cookie', request(['Username: alice', 'Cookie: session=2'], { url: '/ws?user=a' }), false],
    ['not with another query', request(['Username: alice', 'Cookie: session=1'], { url: '/ws?user=b' }), false],
    ['not without one of them', request(['Username: alice'], { url: '/ws?user=a' }), false],
    [
      'not from a peer whose header is not believed',
      request(['Username: alice', 'Cookie: session=1'], { url: '/ws?user=a', remoteAddress: '10.0.0.8' }),
      false,
    ],
  ])('%s', (_name, other, same) => expect(credentials(other) === given).toBe(same));
});

test('a token is compared as it is, whatever has become of it since; unchecked tokens only from trusted peers', () => {
  const argv = ['--user', 'jwt', '--jwt-decode-only', '--trusted-peers', '10.0.0.9'];
  const { credentials } = identifier(argv);
  const bearing = (token: string, remoteAddress = '10.0.0.9') =>
    credentials(request([`Authorization: Bearer ${token}`], { remoteAddress }));
  expect(bearing('expired')).toBe(bearing('expired'));
  expect(bearing('expired')).not.toBe(bearing('other'));
  expect(bearing('expired')).not.toBe(bearing('expired', '10.0.0.8'));
});
