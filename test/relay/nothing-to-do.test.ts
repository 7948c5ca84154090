/** A proxy that has nothing to do is woken no more often than its clock needs. */
import { expect, onTestFinished, test, vi } from 'vitest';
import { TURNS_MIN } from '../../proxy/relay/rounds.ts';
import { Switchboard } from '../../proxy/relay/switchboard.ts';
import { Routing } from '../../proxy/routing/index.ts';
import { routingOptions, switchboardOptions } from '../../proxy/settings.ts';
import { configFrom } from '../support/proxy.ts';

test('without sessions there are as few turns in a round as there may be', async () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const config = configFrom(['--pods', 'a=127.0.0.1:1']);
  const options = switchboardOptions(config);
  const observer = { fact: () => {}, forwarded: () => {}, ringChanged: () => {}, bounced: () => {}, failed: () => {} };
  const dialer = {
    dial: () => {
      throw new Error('nobody is here');
    },
  };
  let looks = 0;
  const now = () => {
    looks += 1;
    return Date.now();
  };
  const board = new Switchboard(options, new Routing(routingOptions(config), Math.random), dialer, observer, now);
  looks = 0;
  const rounds = 10;
  vi.advanceTimersByTime(rounds * options.beatEveryMs);
  expect(looks).toBe(rounds * TURNS_MIN);
  await board.close(1);
});
