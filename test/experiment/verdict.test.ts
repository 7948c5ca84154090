import { expect, it } from 'vitest';
import { Ledger } from '../ledger/ledger.ts';
import type { Outcome } from './run.ts';
import { broken, LIVE_AGAIN_MAX_MS, late } from './verdict.ts';

const lane = { user: 'alice', destination: '/queue/a' };

function outcome(change: Partial<Outcome> = {}, tally: Partial<Outcome['tally']> = {}): Outcome {
  const ledger = new Ledger();
  ledger.sent(lane, 1, 0);
  ledger.received(lane, 1, 1);
  return {
    tally: { ...ledger.tally(), ...tally },
    findings: [],
    ...{
      closes: 0,
      errors: 0,
      movesPerUser: 1,
      movedPerMessage: 1,
      brokerPerMessage: undefined,
      liveAgainMs: undefined,
      announced: 0,
      stallMs: 0,
    },
    ...{ unannounced: [], audited: { lost: 0, duplicated: 0, reordered: 0 }, unprovenHandovers: 0 },
    proves: true,
    ...change,
  };
}

const killed = { liveAgainMs: LIVE_AGAIN_MAX_MS, announced: 1 };

it('has nothing to say of a run that kept everything', () => {
  expect(broken(outcome(), false)).toEqual([]);
  expect(broken(outcome(killed), true)).toEqual([]);
});

it.each([
  ['2 client closes', outcome({ closes: 2 })],
  ['1 ERROR frames', outcome({ errors: 1 })],
  ['3 lost', outcome({}, { lost: 3 })],
  ['3 refused', outcome({}, { refused: 3 })],
  ['3 duplicated', outcome({}, { duplicated: 3 })],
  ['3 reordered', outcome({}, { reordered: 3 })],
  ['3 arrived without being sent', outcome({}, { unknown: 3 })],
  ['4 planned moves without proof', outcome({ unprovenHandovers: 4 })],
])('names %s', (problem, told) => {
  expect(broken(told, false)).toEqual([problem]);
});

it('asks no proof of a backend that cannot give it', () => {
  expect(broken(outcome({ unprovenHandovers: 4 }), false, false)).toEqual([]);
});

it('forgives a crash what the dead pod held, if it was announced', () => {
  expect(broken(outcome(killed, { lost: 3 }), true)).toEqual([]);
  expect(broken(outcome({ ...killed, unannounced: ['alice'] }, { lost: 3 }), true)).toEqual([
    '1 users with losses and no notice',
  ]);
});

it('wants a crash to be felt', () => {
  expect(broken(outcome(), true)).toEqual(['no session had to recover: the dead pod had none']);
});

it('says of a crash that it was not over in time', () => {
  expect(late(outcome())).toEqual([]);
  expect(late(outcome(killed))).toEqual([]);
  expect(late(outcome({ liveAgainMs: LIVE_AGAIN_MAX_MS + 1 }))).toEqual(['sessions live again after 2001 ms']);
});
