/** The pure keepers: broker, acknowledgements, transactions, subscriptions of a session; their bounds at n-1, n, n+1. */
import { describe, expect, test } from 'vitest';
import { Acknowledgements } from '../../backend/acknowledgements.ts';
import { Broker, type Message, type Subscription } from '../../backend/broker.ts';
import { OwnSubscriptions } from '../../backend/own-subscriptions.ts';
import { MAX_BYTES, MAX_FRAMES, MAX_OPEN, Transactions } from '../../backend/transactions.ts';

const message: Message = { destination: '/topic/x', headers: [], body: new Uint8Array() };
const subscriber = () => ({ fail: () => {} });

function subscription(who = subscriber(), takes = true): Subscription & { got: Message[] } {
  const got: Message[] = [];
  return { subscriber: who, got, deliver: (one) => takes && got.push(one) > 0 };
}

describe('broker', () => {
  const hand = (to: Subscription, one: Message) => to.deliver(one);

  test('counts subscribers, not subscriptions, and only those that took the message', () => {
    const broker = new Broker(hand);
    const who = subscriber();
    const [first, second, full] = [subscription(who), subscription(who), subscription(subscriber(), false)];
    for (const one of [first, second, full]) broker.add('x', one);
    expect(broker.publish('x', message)).toBe(1);
    expect([first.got.length, second.got.length, full.got.length]).toEqual([1, 1, 0]);
  });

  test('forgets what was removed, even while it publishes', () => {
    const broker = new Broker(hand);
    const second = subscription();
    const first = { ...subscription(), deliver: () => broker.remove('x', second) === undefined };
    broker.add('x', first);
    broker.add('x', second);
    broker.publish('x', message);
    broker.remove('x', first);
    expect([broker.publish('x', message), broker.addresses]).toEqual([0, 0]);
  });

  test('an address without subscriptions takes nothing', () => {
    expect(new Broker(hand).publish('x', message)).toBe(0);
  });
});

describe('acknowledgements', () => {
  const cumulative = { key: 'c', ack: 'client' } as const;
  const individual = { key: 'i', ack: 'client-individual' } as const;

  test('client settles all up to the id, of its own subscription only', () => {
    const acks = new Acknowledgements(10);
    acks.expect('1', cumulative);
    acks.expect('2', individual);
    acks.expect('3', cumulative);
    acks.expect('4', cumulative);
    acks.settle('3');
    expect(acks.size).toBe(2);
    acks.settle('2');
    acks.settle('4');
    expect(acks.size).toBe(0);
  });

  test('client-individual settles one', () => {
    const acks = new Acknowledgements(10);
    for (const id of ['1', '2', '3']) acks.expect(id, individual);
    acks.settle('2');
    expect(() => acks.settle('2')).toThrow('unknown acknowledgement');
    expect(acks.size).toBe(2);
  });

  test('an id of another subscription, or of one that ended, is unknown', () => {
    const acks = new Acknowledgements(10);
    acks.expect('1', individual);
    expect(() => acks.settle('1', 'c')).toThrow('unknown acknowledgement');
    acks.forget('i');
    expect(() => acks.settle('1', 'i')).toThrow('unknown acknowledgement');
  });

  test('takes `max` and not one more', () => {
    const acks = new Acknowledgements(3);
    expect(['1', '2', '3', '4'].map((id) => acks.expect(id, individual))).toEqual([true, true, true, false]);
    acks.settle('1');
    expect(acks.expect('5', individual)).toBe(true);
  });
});

describe('transactions', () => {
  const frame = (size = 1) => ({ command: 'SEND', bytes: new Uint8Array(size) });

  test('keeps the order, and each transaction its own frames', () => {
    const transactions = new Transactions<ReturnType<typeof frame>>();
    const frames = [frame(), frame(), frame()] as const;
    transactions.begin('a');
    transactions.begin('b');
    transactions.add('a', frames[0]);
    transactions.add('b', frames[1]);
    transactions.add('a', frames[2]);
    expect(transactions.commit('a')).toEqual([frames[0], frames[2]]);
    transactions.abort('b');
    expect(() => transactions.commit('b')).toThrow('unknown transaction');
  });

  test('refuses a second BEGIN, and all that names no open transaction', () => {
    const transactions = new Transactions<ReturnType<typeof frame>>();
    transactions.begin('a');
    expect(() => transactions.begin('a')).toThrow('transaction already open');
    expect(() => transactions.add('x', frame())).toThrow('unknown transaction');
    expect(() => transactions.commit('x')).toThrow('unknown transaction');
    expect(() => transactions.abort('x')).toThrow('unknown transaction');
  });

  test(`${MAX_OPEN} may be open, and again after one has ended`, () => {
    const transactions = new Transactions();
    for (let i = 0; i < MAX_OPEN; i++) transactions.begin(`${i}`);
    expect(() => transactions.begin('more')).toThrow('too many transactions');
    transactions.abort('0');
    transactions.begin('more');
  });

  test(`${MAX_FRAMES} frames in all`, () => {
    const transactions = new Transactions<ReturnType<typeof frame>>();
    transactions.begin('a');
    transactions.begin('b');
    for (let i = 0; i < MAX_FRAMES; i++) transactions.add(i % 2 ? 'a' : 'b', frame());
    expect(() => transactions.add('a', frame())).toThrow('transaction too large');
    transactions.commit('b');
    transactions.add('a', frame());
  });

  test.each([
    [MAX_BYTES - 1, true],
    [MAX_BYTES, true],
    [MAX_BYTES + 1, false],
  ])('%i bytes in all: %s', (bytes, fits) => {
    const transactions = new Transactions<ReturnType<typeof frame>>();
    transactions.begin('a');
    transactions.add('a', frame(1000));
    const add = () => transactions.add('a', frame(bytes - 1000));
    if (fits) add();
    else expect(add).toThrow('transaction too large');
  });
});

test('a session may have `maxSubscriptions` subscriptions and each id once', () => {
  const own = new OwnSubscriptions(new Broker(() => true), 2);
  const one = (key: string) =>
    ({ ...subscription(), key, id: key, destination: '/topic/x', address: 'x', ack: 'auto' }) as const;
  own.add(one('1'));
  expect(() => own.add(one('1'))).toThrow('subscription id in use');
  own.add(one('2'));
  expect(() => own.add(one('3'))).toThrow('too many subscriptions');
  own.remove('1');
  own.add(one('3'));
  expect(() => own.remove('1')).toThrow('unknown subscription');
});
