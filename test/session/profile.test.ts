import { describe, expect, test } from 'vitest';
import { destinationMatcher } from '../../proxy/session/destinations.ts';
import { Profile, type ProfileName, recognise } from '../../proxy/session/index.ts';
import { frame } from './notation.ts';
import { always, Playbook } from './playbook.ts';

describe('what a first CONNECTED tells', () => {
  test.each<[headers: string, name: ProfileName]>([
    ['version:1.2 heart-beat:0,0', 'spring'],
    ['version:1.2 heart-beat:0,0 user-name:ann', 'spring'],
    ['server:RabbitMQ/3.10.8 session:session-x heart-beat:0,0 version:1.2', 'rabbitmq'],
    ['server:RabbitMQ/3.10.8 session:session-x heart-beat:0,0 version:1.2 user-name:ann', 'spring-relay'],
    ['server:ActiveMQ-Artemis/2.40.0~ActiveMQ~Artemis~Messaging~Engine session:1', 'artemis'],
    ['server:ActiveMQ/6.1.0 session:ID1', 'activemq'],
    ['server:ActiveMQ/6.1.0 session:ID1 user-name:ann', 'spring-relay'],
    ['server:holdfast-backend/0.1.0 session:1 user-name:ann', 'embedded'],
    ['server:Other/1 session:1', 'custom'],
    ['session:1', 'custom'],
  ])('%s', (headers, name) => {
    expect(recognise(frame(`CONNECTED ${headers}`, 'server')).name).toBe(name);
  });

  test('the session takes it from there, and says so', () => {
    const seen: (string | undefined)[] = [];
    const profileOf = (connected: { header(name: string): string | undefined } | undefined) => {
      seen.push(connected?.header('server'));
      return new Profile(connected === undefined ? 'custom' : 'rabbitmq', {}, 'because');
    };
    const play = new Playbook({ profileOf }).forget().grant('a', 'open').forget().opens(1).forget();
    play.pod(1, 'CONNECTED version:1.2 server:RabbitMQ/3').forget();
    expect(seen).toEqual([undefined, 'RabbitMQ/3']);
    expect(play.known('backend-known')).toEqual([{ type: 'backend-known', profile: 'rabbitmq', why: 'because' }]);
  });
});

describe('how messages come', () => {
  test.each<[ProfileName, string, string]>([
    ['spring', 'destination:/topic/a/b', 'fanout'],
    ['spring', 'destination:/user/queue/a', 'unicast'],
    ['spring', 'destination:/queue/a', 'unicast'],
    ['spring-relay', 'destination:/queue/a', 'shared'],
    ['rabbitmq', 'destination:/exchange/x/y', 'fanout'],
    ['rabbitmq', 'destination:/queue/a', 'shared'],
    ['rabbitmq', 'destination:/amq/queue/a', 'shared'],
    ['rabbitmq', 'destination:/temp-queue/a', 'unicast'],
    ['rabbitmq', 'destination:/topic/a x-queue-name:q', 'shared'],
    ['rabbitmq', 'destination:/topic/a durable:false', 'fanout'],
    ['artemis', 'destination:/topic/a durable-subscription-name:q', 'shared'],
    ['custom', 'destination:/topic/a', 'unicast'],
  ])('%s, %s: %s', (name, headers, delivery) => {
    expect(new Profile(name).deliveryOf(frame(`SUBSCRIBE id:1 ${headers}`, 'client'))).toBe(delivery);
  });

  test('what the configuration says goes before the table', () => {
    const profile = new Profile('spring', { fanout: ['/news/*'], barrier: 'receipt' });
    expect(profile.deliveryOf(frame('SUBSCRIBE id:1 destination:/topic/a', 'client'))).toBe('unicast');
    expect(profile.deliveryOf(frame('SUBSCRIBE id:1 destination:/news/a', 'client'))).toBe('fanout');
    expect(profile.answers(frame('SUBSCRIBE id:1 destination:/news/a', 'client'))).toBe(true);
  });
});

test.each<[ProfileName, string, boolean]>([
  ['spring', 'SUBSCRIBE destination:/topic/a', false],
  ['spring', 'DISCONNECT', true],
  ['spring-relay', 'SUBSCRIBE destination:/topic/a', true],
  ['spring-relay', 'SEND destination:/app/a', false],
  ['rabbitmq', 'SEND destination:/app/a', true],
  ['rabbitmq', 'BEGIN transaction:t', true],
])('%s answers a receipt of %s: %j', (name, text, answers) => {
  expect(new Profile(name).answers(frame(text, 'client'))).toBe(answers);
});

test.each([
  ['/topic/**', '/topic', true],
  ['/topic/**', '/topic/a/b', true],
  ['/topic/**', '/topics', false],
  ['/topic/*', '/topic/a', true],
  ['/topic/*', '/topic/a/b', false],
  ['/a/*/c', '/a/b/c', true],
  ['**', 'anything/at.all', true],
  ['/a.b', '/a.b', true],
  ['/a.b', '/axb', false],
  ['/(a|b)+', '/a', false],
  ['none', '/topic/a', false],
])('pattern %s and destination %s: %j', (pattern, destination, matches) => {
  expect(destinationMatcher(['/other', pattern])(destination)).toBe(matches);
});

test.each<[ProfileName, number[]]>([
  ['spring', [240]],
  ['rabbitmq', []],
])('a SUBSCRIBE to %s at 40 ms settles until %j', (name, untilMs) => {
  const play = Playbook.opened([], { profileOf: always(name) })
    .at(40)
    .client('SUBSCRIBE id:1 destination:/queue/a');
  expect(
    play
      .forget()
      .known('settling')
      .map((fact) => fact.untilMs),
  ).toEqual(untilMs);
});

describe('subscriptions that are not repeated', () => {
  const SPRING = { profileOf: always('spring') };
  const ONCE = 'SUBSCRIBE id:s destination:/app/state';
  const both = () => Playbook.opened(['SUBSCRIBE id:1 destination:/user/queue/a', ONCE], SPRING);

  test('only the others are said to the new pod', () => {
    const play = both().grant('b').forget().connects(2);
    expect(play.shown.filter((line) => line.includes('SUBSCRIBE'))).toEqual([
      '2 < SUBSCRIBE holdfast-replay:handover id:1 destination:/user/queue/a',
    ]);
    play.forget();
  });

  test('their end is not told to a pod that never heard of them', () => {
    const play = both().grant('b').forget().connects(2).forget().at(200).shows();
    play.client('UNSUBSCRIBE id:s receipt:r').shows('client < RECEIPT receipt-id:r');
    play.client('UNSUBSCRIBE id:1');
    expect(play.shown).toContain('2 < UNSUBSCRIBE id:1');
    play.forget();
  });

  test('one that is new in the middle of a handover is said once', () => {
    const play = Playbook.opened(undefined, SPRING).grant('b').forget().connects(2).forget();
    play.client(ONCE).shows(`1 < ${ONCE}`);
  });
});
