import { expect, test } from 'vitest';
import { classifyEnd, describeEnd, isPodTrouble } from '../../proxy/session/classify.ts';
import { type LinkEnd, Profile, type ProfileName } from '../../proxy/session/index.ts';
import { StompError } from '../../stomp/index.ts';
import { frame } from './notation.ts';

const closed = (code: number): LinkEnd => ({ kind: 'closed', code, reason: '' });
const upgrade = (status: number): LinkEnd => ({ kind: 'handshake', status });
const garbage: LinkEnd = { kind: 'garbage', error: new StompError('bad-header', 'x') };

test.each<[what: string, end: LinkEnd, blame: 'pod' | 'session']>([
  ['RabbitMQ, whatever happened', closed(1000), 'session'],
  ['going away', closed(1001), 'pod'],
  ['a protocol error after a replay; the broker behind Spring is away', closed(1002), 'session'],
  ['cut without a close frame (Spring Boot on Tomcat)', closed(1006), 'pod'],
  ['an internal error', closed(1011), 'session'],
  ['restart', closed(1012), 'pod'],
  ['try again later', closed(1013), 'pod'],
  ["Spring's SESSION_NOT_RELIABLE", closed(4500), 'session'],
  ['a code of no meaning here', closed(3000), 'session'],
  ['not reachable', { kind: 'unreachable', message: 'ECONNREFUSED' }, 'pod'],
  ['upgrade refused: 404', upgrade(404), 'session'],
  ['upgrade refused: 429', upgrade(429), 'session'],
  ['upgrade refused: 500', upgrade(500), 'pod'],
  ['upgrade refused: 503', upgrade(503), 'pod'],
  ['nothing heard', { kind: 'silent', sinceMs: 5_000 }, 'pod'],
  ['no STOMP', garbage, 'session'],
])('lost: %s', (_, end, blame) => {
  expect(classifyEnd(end)).toEqual({ kind: 'lost', blame });
});

test.each<[what: string, end: LinkEnd, errored: ProfileName | undefined, code: number, why: string]>([
  ['close after ERROR', closed(1002), 'spring', 1002, 'backend-error'],
  ['the same of RabbitMQ', closed(1000), 'rabbitmq', 1002, 'backend-error'],
  ['the same of ActiveMQ', closed(1000), 'activemq', 1002, 'backend-error'],
  ['the same of Artemis, which never says close', closed(1006), 'artemis', 1002, 'backend-error'],
  ['any close after ERROR, of a backend that is not known', closed(1011), 'custom', 1002, 'backend-error'],
  ['policy', closed(1008), undefined, 1008, 'backend-error'],
  ['the first code of applications', closed(4000), undefined, 4000, 'backend-error'],
  ['the last one', closed(4999), undefined, 4999, 'backend-error'],
  ['not signed in', upgrade(401), undefined, 1008, 'backend-denied'],
  ['not allowed', upgrade(403), undefined, 1008, 'backend-denied'],
])('final: %s', (_, end, errored, code, why) => {
  const profile = errored === undefined ? undefined : new Profile(errored);
  expect(classifyEnd(end, profile)).toMatchObject({ kind: 'final', code, why });
});

test.each<[what: string, profile: ProfileName, code: number]>([
  ['the pod dies just after an ERROR', 'custom', 1006],
  ['the same of RabbitMQ, which goes on after most ERRORs', 'rabbitmq', 1006],
  ['a shutdown just after an ERROR', 'spring', 1001],
  ['the same of ActiveMQ', 'activemq', 1001],
])('lost all the same: %s', (_, profile, code) => {
  expect(classifyEnd(closed(code), new Profile(profile))).toMatchObject({ kind: 'lost' });
});

test.each([
  'Broker~not~available.',
  'Connection~to~broker~closed.',
  'Failed~to~connect:~connection~timed~out~after~30000~ms',
  'Failed~to~connect:~Connection~refused:~/127.0.0.1:61613',
  'Failed~to~forward~SEND~/topic/a~session=1',
  'failed~to~forward~heartbeat',
  'Transport~failure:~Connection~reset~by~peer',
  'No~messages~received~in~30000~ms.',
  'No~CONNECTED~frame~received~in~60000~ms.',
  'Session~closed.',
  'Server~shutting~down',
  'Application~is~stopping',
  'heart-beat~missed',
  'AMQ229014:~Did~not~receive~data~from~127.0.0.1:43610~within~the~2000ms~connection~TTL.~The~connection~will~now~be~closed.',
])('ERROR %s speaks of the pod', (message) =>
  expect(isPodTrouble(frame(`ERROR message:${message}`, 'server'))).toBe(true),
);

test.each([
  'Access~denied',
  'Your~session~closed.',
  'Unknown~destination',
  'Failed~to~connect',
  'Failed~to~connect:~bad~credentials',
  'No~messages~received',
])('ERROR %s speaks of the client', (message) => {
  expect(isPodTrouble(frame(`ERROR message:${message}`, 'server'))).toBe(false);
});

test('ERROR without a message speaks of nothing', () => {
  expect(isPodTrouble(frame('ERROR', 'server'))).toBe(false);
});

test.each<[end: LinkEnd, words: string]>([
  [closed(1006), 'closed 1006'],
  [{ kind: 'closed', code: 1001, reason: 'bye' }, 'closed 1001 bye'],
  [{ kind: 'unreachable', message: 'ECONNREFUSED' }, 'unreachable: ECONNREFUSED'],
  [upgrade(503), 'upgrade refused with 503'],
  [{ kind: 'silent', sinceMs: 1_234.5 }, 'silent for 1235 ms'],
  [garbage, 'no STOMP: bad-header'],
])('in words: %j is "%s"', (end, words) => {
  expect(describeEnd(end)).toBe(words);
});
