import { expect, it } from 'vitest';
import { parseServiceTarget, parseStaticPods } from '../../proxy/discovery/index.ts';

it('reads pods that all serve', () => {
  expect(parseStaticPods('a=127.0.0.1:9001, b=[::1]:9002')).toEqual([
    { id: 'a', name: 'a', address: '127.0.0.1:9001', state: 'serving' },
    { id: 'b', name: 'b', address: '[::1]:9002', state: 'serving' },
  ]);
});

it.each([
  ['', 'no pods are given; write NAME=HOST:PORT,NAME=HOST:PORT,…'],
  ['  ', 'no pods are given'],
  ['a=h:1,', 'pod 2: "" has no "="'],
  ['a=h:1,,b=h:2', 'pod 2: "" has no "="'],
  ['localhost:9001', 'pod 1: "localhost:9001" has no "="; write NAME=HOST:PORT'],
  ['a=h:1,b=h', 'pod 2: "h" is not an address: it needs a port from 1 to 65535'],
  ['=h:1', 'pod 1: "" is not a pod name'],
  ['a=h:1,b=h:2,a=h:3', 'pod 3: the name "a" was already given in pod 1'],
  ['a=h:1,b=H:1', 'pod 2: the address h:1 was already given in pod 1'],
])('refuses "%s": %s', (text, message) => {
  expect(() => parseStaticPods(text)).toThrow(message);
});

it.each([
  ['shop/backend:stomp', { namespace: 'shop', service: 'backend', portName: 'stomp' }],
  ['shop/backend:', { namespace: 'shop', service: 'backend', portName: '' }],
])('reads the Service in %s', (text, target) => {
  expect(parseServiceTarget(text)).toEqual(target);
});

it.each([
  ['', 'names no Service; write NAMESPACE/SERVICE:PORTNAME'],
  ['backend:stomp', 'names no Service'],
  ['a/b/c:d', 'names no Service'],
  ['shop/backend', '"shop/backend" names no port'],
  ['shop/backend:8080', '8080 is a number; name the port as the Service does in spec.ports[].name'],
  ['Shop/backend:stomp', '"Shop" is not the name of a namespace'],
  ['/backend:stomp', '"" is not the name of a namespace'],
  ['shop/:stomp', '"" is not the name of a Service'],
  ['shop/backend:sto mp', '"sto mp" is not the name of a port name'],
  [`shop/${'b'.repeat(64)}:stomp`, 'is not the name of a Service'],
])('refuses the Service in "%s": %s', (text, message) => {
  expect(() => parseServiceTarget(text)).toThrow(message);
});
