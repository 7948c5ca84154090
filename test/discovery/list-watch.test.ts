/** Traces of the list-watch machine: what happens at which second, and what it does then. Random is 0.5 everywhere. */
import { describe, expect, it } from 'vitest';
import { type EndpointSlice, readSlice } from '../../proxy/discovery/endpoint-slice.ts';
import type { Failure } from '../../proxy/discovery/failure.ts';
import { LIST_WATCH_DEFAULTS, ListWatch } from '../../proxy/discovery/list-watch.ts';
import type { ListWatchEffect, ListWatchEvent, WatchEvent } from '../../proxy/discovery/list-watch-events.ts';

const SLICE: EndpointSlice = readSlice({ metadata: { name: 's', resourceVersion: '11' }, addressType: 'IPv4' });
const BROKEN: Failure = { kind: 'network', message: 'broken' };
const http = (status: number): Failure => ({ kind: 'http', status, message: `${status}` });

/** Runs a machine and tells its requests in short: `list`, `list limit=∞`, `watch from=10 for=270s`. */
class Trace {
  readonly machine = new ListWatch({ ...LIST_WATCH_DEFAULTS, random: () => 0.5 });
  now = 0;
  generation = 0;

  send(event: ListWatchEvent): string[] {
    const effects = this.machine.handle(event, this.now);
    for (const effect of effects)
      if (effect.do === 'list' || effect.do === 'watch') this.generation = effect.generation;
    return effects.map(brief);
  }

  start = () => this.send({ on: 'start' });
  tick = () => this.send({ on: 'tick' });
  page = (resourceVersion = '10', continueToken?: string) =>
    this.send({ on: 'page', generation: this.generation, page: { slices: [SLICE], resourceVersion, continueToken } });
  opened = () => this.send({ on: 'opened', generation: this.generation });
  ended = () => this.send({ on: 'ended', generation: this.generation });
  event = (event: WatchEvent) => this.send({ on: 'event', generation: this.generation, event });
  put = () => this.event({ type: 'put', slice: SLICE });
  bookmark = (resourceVersion: string) => this.event({ type: 'bookmark', resourceVersion });
  fail = (failure: Failure = BROKEN) => this.send({ on: 'failed', generation: this.generation, failure });

  /** Up to and including the time, ticking as the shell does. */
  until(seconds: number): string[] {
    const done: string[] = [];
    for (let next = this.machine.nextDeadline(); next <= seconds * 1000; next = this.machine.nextDeadline()) {
      this.now = Math.max(this.now, next);
      done.push(...this.tick());
    }
    this.now = seconds * 1000;
    return done;
  }

  /** A list, and the watch after it. */
  watching(): this {
    this.start();
    this.page();
    this.opened();
    return this;
  }
}

function brief(effect: ListWatchEffect): string {
  const fresh = 'refresh' in effect && effect.refresh ? ' refreshed' : '';
  if (effect.do === 'list') {
    const token = effect.continueToken === undefined ? '' : ` continue=${effect.continueToken}`;
    return `list${effect.limit === undefined ? ' whole' : ''}${token}${fresh}`;
  }
  if (effect.do === 'watch') return `watch from=${effect.resourceVersion} for=${effect.timeoutSeconds}s${fresh}`;
  if (effect.do === 'report') return `report ${effect.failure.message} retry=${effect.retryMs}ms`;
  return effect.do === 'replace' ? `replace ${effect.slices.length}` : effect.do;
}

describe('a calm life', () => {
  it('lists, watches from the version of the list, and goes on from the last version when the watch ends', () => {
    const trace = new Trace();
    expect(trace.start()).toEqual(['list']);
    expect(trace.page('10')).toEqual(['replace 1', 'watch from=10 for=270s']);
    expect(trace.opened()).toEqual([]);
    expect(trace.put()).toEqual(['put']);
    expect(trace.until(60)).toEqual([]);
    expect(trace.bookmark('20')).toEqual([]);
    trace.until(120);
    trace.bookmark('21');
    expect(trace.ended()).toEqual(['watch from=21 for=270s']);
    expect(trace.machine.facts).toMatchObject({ failing: false, relists: 1, watchRestarts: 1 });
  });

  it('takes a list in pages', () => {
    const trace = new Trace();
    trace.start();
    expect(trace.page('10', 'a')).toEqual(['list continue=a']);
    expect(trace.page('10', 'b')).toEqual(['list continue=b']);
    expect(trace.page('10')).toEqual(['replace 3', 'watch from=10 for=270s']);
  });

  it('lists anew when that is due, at the end of a watch that was asked to end then', () => {
    const trace = new Trace().watching();
    for (const second of [60, 120, 180, 240]) {
      expect(trace.until(second)).toEqual([]);
      trace.bookmark(`${second}`);
    }
    trace.until(270);
    // 450 s after the first list everything is listed again; the second watch is only asked to last till then.
    expect(trace.ended()).toEqual(['watch from=240 for=180s']);
    trace.opened();
    for (const second of [330, 390, 449]) {
      expect(trace.until(second)).toEqual([]);
      trace.bookmark(`${second}`);
    }
    trace.until(450);
    expect(trace.ended()).toEqual(['list']);
  });

  it('lists anew even when the server does not end the watch in time', () => {
    const trace = new Trace().watching();
    for (let second = 60; second <= 450; second += 30) {
      expect(trace.until(second)).toEqual([]);
      trace.bookmark(`${second}`);
    }
    expect(trace.until(454)).toEqual([]);
    expect(trace.until(455)).toEqual(['cancel', 'list']);
    expect(trace.machine.facts.failing).toBe(false);
  });
});

describe('clean ends', () => {
  it('that repeat at once are backed off until a watch holds', () => {
    const trace = new Trace().watching();
    expect(trace.ended()).toEqual(['watch from=10 for=270s']);
    trace.opened();
    expect(trace.ended()).toEqual([]);
    expect(trace.machine.nextDeadline()).toBe(100);
    trace.until(0.1);
    trace.opened();
    expect(trace.ended()).toEqual([]);
    expect(trace.machine.nextDeadline()).toBe(300);
    trace.until(0.3);
    trace.opened();
    trace.until(10.3);
    expect(trace.ended()).toEqual(['watch from=10 for=270s']);
    expect(trace.machine.facts.failing).toBe(false);
  });

  it('with an event after a second of life are no repetition', () => {
    const trace = new Trace().watching();
    trace.ended();
    trace.opened();
    trace.until(1);
    trace.put();
    expect(trace.ended()).toEqual(['watch from=11 for=270s']);
  });

  it('with an event each, but at once, are', () => {
    const trace = new Trace().watching();
    trace.put();
    trace.ended();
    trace.opened();
    trace.put();
    expect(trace.ended()).toEqual([]);
  });
});

describe('failures', () => {
  it('of the first list are backed off, doubling up to the cap', () => {
    const trace = new Trace();
    trace.start();
    const delays = Array.from({ length: 9 }, () => {
      const [, report] = trace.fail();
      trace.now = trace.machine.nextDeadline();
      expect(trace.tick()).toEqual(['list']);
      return report;
    });
    expect(delays.map((report) => report?.split('retry=')[1])).toEqual([
      '50ms',
      '100ms',
      '200ms',
      '400ms',
      '800ms',
      '1600ms',
      '3200ms',
      '5000ms',
      '5000ms',
    ]);
  });

  it('of a watch go on from the last version, without a list', () => {
    const trace = new Trace().watching();
    trace.bookmark('30');
    expect(trace.fail()).toEqual(['cancel', 'report broken retry=50ms']);
    expect(trace.until(0.05)).toEqual(['watch from=30 for=270s']);
    expect(trace.machine.facts.failing).toBe(true);
    trace.opened();
    expect(trace.until(10.05)).toEqual(['recovered']);
    expect(trace.machine.facts.failing).toBe(false);
  });

  it('end with an event of a watch that has lived for a second', () => {
    const trace = new Trace().watching();
    trace.fail();
    trace.until(0.05);
    trace.opened();
    trace.until(1.04);
    expect(trace.put()).toEqual(['put']);
    trace.until(1.05);
    expect(trace.put()).toEqual(['put', 'recovered']);
  });

  it('410 lists at once, and when it repeats backs off', () => {
    const trace = new Trace().watching();
    expect(trace.fail(http(410))).toEqual(['cancel', 'report 410 retry=0ms', 'list']);
    trace.page('40');
    expect(trace.fail(http(410))).toEqual(['cancel', 'report 410 retry=100ms']);
    expect(trace.until(0.1)).toEqual(['list']);
  });

  it('410 of a later page lists everything in one answer', () => {
    const trace = new Trace();
    trace.start();
    trace.page('10', 'a');
    expect(trace.fail(http(410))).toEqual(['cancel', 'report 410 retry=0ms', 'list whole']);
    expect(trace.page('11')).toEqual(['replace 1', 'watch from=11 for=270s']);
  });

  it('401 reads the credentials anew at once, then backs off with that', () => {
    const trace = new Trace().watching();
    expect(trace.fail(http(401))).toEqual(['cancel', 'report 401 retry=0ms', 'watch from=10 for=270s refreshed']);
    expect(trace.fail(http(401))).toEqual(['cancel', 'report 401 retry=100ms']);
    expect(trace.until(0.1)).toEqual(['watch from=10 for=270s refreshed']);
    trace.opened();
    trace.until(20);
    expect(trace.fail(http(401))).toContain('watch from=10 for=270s refreshed');
  });

  it('a list that never ends is given up', () => {
    const trace = new Trace();
    trace.start();
    for (let page = 1; page < 200; page += 1) expect(trace.page('10', `${page}`)).toEqual([`list continue=${page}`]);
    expect(trace.page('10', '200')).toEqual(['cancel', 'report the list did not end after 200 pages retry=50ms']);
  });
});

describe('silence', () => {
  it('of a list, or of the head of a watch, ends after 30 s', () => {
    const trace = new Trace();
    trace.start();
    expect(trace.until(29.999)).toEqual([]);
    expect(trace.until(30)).toEqual(['cancel', 'report no answer within 30 s retry=50ms']);
    expect(trace.until(30.05)).toEqual(['list']);
    trace.page();
    expect(trace.until(60.05)).toEqual(['cancel', 'report no answer within 30 s retry=100ms']);
  });

  it('of a watch for 90 s ends with a list', () => {
    const trace = new Trace().watching();
    trace.until(50);
    trace.bookmark('12');
    expect(trace.until(139.999)).toEqual([]);
    expect(trace.until(140)).toEqual(['cancel', 'report the watch told nothing for 90 s retry=50ms']);
    expect(trace.until(140.05)).toEqual(['list']);
    expect(trace.machine.facts.heardAt).toBe(50_000);
  });
});

describe('what comes too late', () => {
  it('from a request that was given up is ignored', () => {
    const trace = new Trace().watching();
    const old = trace.generation;
    trace.fail();
    trace.until(0.05);
    expect(trace.send({ on: 'event', generation: old, event: { type: 'put', slice: SLICE } })).toEqual([]);
    expect(trace.send({ on: 'ended', generation: old })).toEqual([]);
    expect(trace.send({ on: 'failed', generation: old, failure: BROKEN })).toEqual([]);
    expect(trace.send({ on: 'opened', generation: old })).toEqual([]);
  });

  it('in the wrong state is ignored', () => {
    const trace = new Trace();
    expect(trace.ended()).toEqual([]);
    trace.start();
    expect(trace.opened()).toEqual([]);
    expect(trace.put()).toEqual([]);
    trace.page();
    expect(trace.put()).toEqual([]);
    trace.opened();
    expect(trace.page()).toEqual([]);
  });

  it.each([['listing'], ['dialing'], ['watching'], ['backoff']])('after a stop while %s does nothing', (at) => {
    const trace = new Trace();
    trace.start();
    if (at !== 'listing') trace.page();
    if (at === 'watching') trace.opened();
    if (at === 'backoff') trace.fail();
    expect(trace.send({ on: 'stop' })).toEqual(['cancel']);
    expect([trace.page(), trace.opened(), trace.put(), trace.ended(), trace.fail(), trace.start()].flat()).toEqual([]);
    expect(trace.machine.nextDeadline()).toBe(Infinity);
  });

  it('a second start does nothing', () => {
    const trace = new Trace();
    trace.start();
    expect(trace.start()).toEqual([]);
  });
});
