import { describe, expect, test } from 'vitest';
import { agreeHeartBeat, Beats, parseHeartBeat } from '../../stomp/index.ts';

test.each([
  [undefined, [0, 0]],
  ['0,0', [0, 0]],
  ['10000,5000', [10_000, 5_000]],
  ['10000, 10000', [10_000, 10_000]],
  [' 1 , 2 ', [1, 2]],
  ['99999999999,1', [2 ** 31 - 1, 1]],
  ['', undefined],
  ['10', undefined],
  ['10,', undefined],
  ['a,b', undefined],
  ['-1,0', undefined],
  ['1,2,3', undefined],
  ['1e3,0', undefined],
])('heart-beat %j gives %j', (header, expected) => {
  expect(parseHeartBeat(header)).toEqual(expected);
});

test.each([
  [[0, 0], [10, 10], 0, 0],
  [[10, 20], [30, 5], 10, 30],
  [[10, 20], [0, 40], 40, 0],
  [[0, 20], [30, 40], 0, 30],
] as const)('%j meets %j: sends every %d ms, expects every %d ms', (own, peer, sendEveryMs, expectEveryMs) => {
  expect(agreeHeartBeat(own, peer)).toEqual({ sendEveryMs, expectEveryMs });
});

describe('Beats', () => {
  test('a beat is due when nothing was sent for the interval', () => {
    const beats = new Beats({ sendEveryMs: 100, expectEveryMs: 0 }, 1000);
    expect([beats.due(1099), beats.due(1100), beats.nextDeadline()]).toEqual([false, true, 1100]);
    beats.sent(1050);
    expect([beats.due(1149), beats.due(1150), beats.nextDeadline()]).toEqual([false, true, 1150]);
    expect(beats.silent(1e9)).toBe(false);
  });

  test('the peer is silent after two intervals, or as many as are tolerated', () => {
    const beats = new Beats({ sendEveryMs: 0, expectEveryMs: 100 }, 0);
    expect([beats.silent(199), beats.silent(200), beats.nextDeadline()]).toEqual([false, true, 200]);
    beats.received(150);
    expect([beats.silent(349), beats.silent(350)]).toEqual([false, true]);
    expect(beats.due(1e9)).toBe(false);
    expect(new Beats({ sendEveryMs: 0, expectEveryMs: 2000, tolerance: 2.5 }, 0).nextDeadline()).toBe(5000);
  });

  test('the next deadline is the earlier of both, and there is none when both are off', () => {
    expect(new Beats({ sendEveryMs: 100, expectEveryMs: 40 }, 0).nextDeadline()).toBe(80);
    expect(new Beats({ sendEveryMs: 70, expectEveryMs: 40 }, 0).nextDeadline()).toBe(70);
    expect(new Beats({ sendEveryMs: 0, expectEveryMs: 0 }, 0).nextDeadline()).toBe(Infinity);
  });

  test('at its deadline something is due or silent, and not before', () => {
    const beats = new Beats({ sendEveryMs: 70, expectEveryMs: 40 }, 5);
    const deadline = beats.nextDeadline();
    expect(beats.due(deadline) || beats.silent(deadline)).toBe(true);
    expect(beats.due(deadline - 1) || beats.silent(deadline - 1)).toBe(false);
  });
});
