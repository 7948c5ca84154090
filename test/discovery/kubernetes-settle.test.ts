/** When changes are passed on, to the millisecond: no sockets, the test is the API server. */
import { describe, expect, it } from 'vitest';
import { kubernetesSource } from '../../proxy/discovery/index.ts';
import type { AnswerHandlers, KubeClient } from '../../proxy/discovery/kube-client.ts';
import { listObject } from './fake-api/answers.ts';
import { SliceController, SliceHistory } from './fake-api/index.ts';
import { ManualClock } from './manual-clock.ts';
import { Recorder } from './recorder.ts';

function begin() {
  const history = new SliceHistory();
  const controller = new SliceController(history, {
    name: 'backend',
    ports: [{ name: 'stomp', port: 8080 }],
    sliceSize: 1,
  });
  controller.set(pod('a'));
  let answer: AnswerHandlers | undefined;
  const client: KubeClient = {
    get: (_path, _refresh, handlers) => {
      answer = handlers;
      return () => {};
    },
    close: () => {},
  };
  const clock = new ManualClock();
  const recorder = new Recorder();
  const source = kubernetesSource({
    service: 'shop/backend:stomp',
    log: recorder.log,
    clock,
    client,
    random: () => 0.5,
  });
  recorder.start(source);
  const ok = () => answer?.head({ status: 200, retryAfterMs: undefined });
  const data = (value: object) => answer?.data(Buffer.from(`${JSON.stringify(value)}\n`));
  const list = () => {
    ok();
    data(listObject(history.all(), history.version, undefined));
    answer?.end();
    ok();
  };
  const fail = () => answer?.failed({ kind: 'network', message: 'broken' });
  history.listen(({ type, object }) => data({ type, object }));
  return { controller, clock, recorder, source, list, fail };
}

function pod(name: string, ready = true) {
  return { name, uid: name, ip: `10.0.0.${name.charCodeAt(0)}`, ready };
}

describe('the source kubernetes', () => {
  it('passes the first list on at once', () => {
    const { recorder, list } = begin();
    list();
    expect(recorder.pods).toBe('a=10.0.0.97:8080');
  });

  it('passes changes on when they have paused for 100 ms, as one', () => {
    const { controller, clock, recorder, list } = begin();
    list();
    controller.set(pod('b'));
    clock.advance(99);
    controller.set(pod('c'), pod('d'));
    clock.advance(99);
    expect(recorder.topologies).toHaveLength(1);
    clock.advance(1);
    expect(recorder.topologies).toHaveLength(2);
    expect(recorder.last?.pods.map(({ name }) => name).join('')).toBe('abcd');
  });

  it('passes constant change on twice a second', () => {
    const { controller, clock, recorder, list } = begin();
    list();
    for (let ms = 0; ms < 2000; ms += 50) {
      controller.set(pod('b', (ms / 50) % 2 === 0), pod(String.fromCharCode(99 + ms / 100)));
      clock.advance(50);
    }
    expect(recorder.topologies).toHaveLength(5);
  });

  it('says nothing when in the end nothing has changed', () => {
    const { controller, clock, recorder, list } = begin();
    list();
    controller.set(pod('b'));
    controller.remove('b');
    clock.advance(1000);
    expect(recorder.topologies).toHaveLength(1);
  });

  it('tells how old its knowledge is: nothing while healthy, then since it last heard', () => {
    const { clock, source, list, fail } = begin();
    clock.advance(5_000);
    expect(source.status(clock.now()).staleMs).toBe(5_000);
    list();
    clock.advance(60_000);
    expect(source.status(clock.now())).toMatchObject({ staleMs: 0, lastEventAgeMs: 60_000 });
    fail();
    expect(source.status(clock.now())).toMatchObject({ staleMs: 60_000, failures: 1, lastError: 'broken' });
    clock.advance(1_000);
    expect(source.status(clock.now()).staleMs).toBe(61_000);
  });

  it('leaves no timer behind when it is stopped', async () => {
    const { clock, source, list, controller } = begin();
    list();
    controller.set(pod('b'));
    await source.stop();
    expect(clock.pending).toBe(0);
  });
});
