import { describe, expect, it } from 'vitest';
import { parseAddress, parsePodName } from '../../proxy/discovery/address.ts';
import { DiscoveryError } from '../../proxy/discovery/discovery-error.ts';

describe('an address', () => {
  it.each([
    ['127.0.0.1:9001', '127.0.0.1:9001'],
    ['Pod-1.Backend.local:80', 'pod-1.backend.local:80'],
    ['localhost:1', 'localhost:1'],
    ['localhost:65535', 'localhost:65535'],
    ['[::1]:9001', '[::1]:9001'],
    ['[FD00:0:0::7]:9001', '[fd00::7]:9001'],
    ['localhost:080', 'localhost:80'],
  ])('%s is %s', (text, address) => {
    expect(parseAddress(text)).toBe(address);
  });

  it.each([
    '',
    'localhost',
    'localhost:',
    'localhost:0',
    'localhost:65536',
    'localhost:123456',
    'localhost:-1',
    'localhost:80x',
    ':80',
    '::1:80',
    '[localhost]:80',
    '[127.0.0.1]:80',
    '[fe80::1%eth0]:80',
    '[]:80',
    'a b:80',
    'http://a:80',
    'a:80/path',
    'a_b:80',
    '-a:80',
    '256.1.1.1:80',
    '10.0.0:80',
    `${'a'.repeat(64)}.b:80`,
    `${'a.'.repeat(127)}b:80`,
  ])('"%s" is refused with what to write instead', (text) => {
    expect(() => parseAddress(text)).toThrow(DiscoveryError);
    expect(() => parseAddress(text)).toThrow(/write HOST:PORT/);
  });
});

describe('a pod name', () => {
  it.each(['a', 'pod-1', 'Backend_7.x', 'x'.repeat(253)])('may be %s', (name) => {
    expect(parsePodName(name)).toBe(name);
  });

  it.each(['', '-a', 'a-', 'a b', 'a,b', 'é', 'a\n', 'x'.repeat(254)])('may not be "%s"', (name) => {
    expect(() => parsePodName(name)).toThrow(/is not a pod name/);
  });
});
