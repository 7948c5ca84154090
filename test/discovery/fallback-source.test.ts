import { describe, expect, it } from 'vitest';
import { type Pod, type SourceStatus, type TopologySource, withFallback } from '../../proxy/discovery/index.ts';
import { ManualClock } from './manual-clock.ts';
import { Recorder } from './recorder.ts';

const AFTER_MS = 5_000;

/** A source that says what the test tells it to. */
class Script implements TopologySource {
  readonly #name: string;
  #listener: Parameters<TopologySource['start']>[0] | undefined;
  #facts: Partial<SourceStatus> = {};
  state: 'new' | 'started' | 'stopped' = 'new';

  constructor(name: string) {
    this.#name = name;
  }

  start(listener: Parameters<TopologySource['start']>[0]): void {
    this.state = 'started';
    this.#listener = listener;
  }

  async stop(): Promise<void> {
    this.state = 'stopped';
  }

  status(): SourceStatus {
    return { source: this.#name, ready: false, staleMs: 0, problems: 0, failures: 0, ...this.#facts };
  }

  is(facts: Partial<SourceStatus>): void {
    this.#facts = facts;
  }

  says(...pods: Pod[]): void {
    this.#facts = { ready: true };
    this.#listener?.({ pods, source: this.#name });
  }
}

const pod = (id: string, name: string, ip: string): Pod => ({ id, name, address: `${ip}:80`, state: 'serving' });

function begin() {
  const [primary, fallback] = [new Script('kubernetes'), new Script('dns')];
  const [clock, recorder] = [new ManualClock(), new Recorder()];
  const source = withFallback({ primary, fallback, afterMs: AFTER_MS, log: recorder.log, clock });
  recorder.start(source);
  return { primary, fallback, clock, recorder, source, status: () => source.status(clock.now()) };
}

/** The primary was silent for too long, and the fallback has answered. */
function fallenBack(...pods: Pod[]) {
  const world = begin();
  world.clock.advance(AFTER_MS);
  world.fallback.says(...pods);
  return world;
}

describe('the primary answers', () => {
  it('in time: nobody else is ever asked', () => {
    const { primary, fallback, clock, recorder, status } = begin();
    clock.advance(AFTER_MS - 1);
    primary.says(pod('uid-a', 'a', '10.0.0.1'));
    clock.advance(AFTER_MS * 10);
    expect(fallback.state).toBe('new');
    expect(recorder.pods).toBe('a=10.0.0.1:80');
    expect(status()).toMatchObject({ source: 'kubernetes', ready: true });
  });

  it('after the fallback: its pods count from then on, and the fallback is stopped', () => {
    const { primary, fallback, recorder, status } = fallenBack(pod('10.0.0.1:80', '10.0.0.1', '10.0.0.1'));
    primary.says(pod('uid-a', 'a', '10.0.0.1'), pod('uid-b', 'b', '10.0.0.2'));
    expect(recorder.pods).toBe('a=10.0.0.1:80 b=10.0.0.2:80');
    expect(fallback.state).toBe('stopped');
    fallback.says(pod('x', 'x', '10.0.0.9'));
    expect(recorder.topologies).toHaveLength(2);
    expect(status()).toMatchObject({ source: 'kubernetes', ready: true });
    expect(recorder.lines.at(-1)?.message).toBe('kubernetes answers; the pods come from it from now on');
  });

  it('a pod that both name by one address keeps its id, as long as it lives', () => {
    const { primary, recorder } = fallenBack(pod('10.0.0.1:80', '10.0.0.1', '10.0.0.1'));
    const ids = () => recorder.last?.pods.map(({ id }) => id);
    primary.says(pod('uid-a', 'a', '10.0.0.1'), pod('uid-b', 'b', '10.0.0.2'));
    expect(ids()).toEqual(['10.0.0.1:80', 'uid-b']);
    primary.says({ ...pod('uid-a', 'a', '10.0.0.1'), state: 'draining' });
    expect(ids()).toEqual(['10.0.0.1:80']);
    primary.says(pod('uid-c', 'c', '10.0.0.1'));
    expect(ids()).toEqual(['uid-c']);
  });
});

describe('the primary is silent', () => {
  it('at the bound: the other one is asked, which is told once', () => {
    const { fallback, clock, recorder, status } = begin();
    clock.advance(AFTER_MS - 1);
    expect(fallback.state).toBe('new');
    expect(status()).toMatchObject({ source: 'kubernetes', ready: false });
    clock.advance(1);
    expect(fallback.state).toBe('started');
    expect(recorder.warnings).toEqual([
      'kubernetes has not answered since the start; dns is asked for the pods until it does',
    ]);
    expect(status()).toMatchObject({ source: 'dns', ready: false });
  });

  it('ready is who has the answer of one source, with the errors of both', () => {
    const { primary, fallback, clock, status } = begin();
    primary.is({ lastError: 'connection refused', problems: 1, failures: 3, staleMs: 7 });
    clock.advance(AFTER_MS);
    fallback.is({ lastError: 'no such name', problems: 1 });
    expect(status()).toMatchObject({
      ready: false,
      lastError: 'connection refused; no such name',
      problems: 2,
      failures: 3,
      staleMs: 7,
    });
    fallback.says(pod('10.0.0.1:80', '10.0.0.1', '10.0.0.1'));
    expect(status()).toEqual({
      source: 'dns',
      ready: true,
      lastError: 'connection refused',
      problems: 1,
      failures: 3,
      staleMs: 7,
    });
  });
});

it('stops both, and asks nobody afterwards', async () => {
  const { primary, fallback, clock, source } = begin();
  await source.stop();
  clock.advance(AFTER_MS * 2);
  expect([primary.state, fallback.state]).toEqual(['stopped', 'stopped']);
  expect(clock.pending).toBe(0);
});
