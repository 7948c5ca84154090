import { afterEach, describe, expect, it } from 'vitest';
import { type DnsTarget, dnsSource } from '../../proxy/discovery/index.ts';
import { type FakeDns, type Records, startFakeDns } from './fake-dns.ts';
import { ManualClock } from './manual-clock.ts';
import { Recorder } from './recorder.ts';

const HOST = 'chat-pods.shop.svc';
const ADDRESSES: DnsTarget = { kind: 'addresses', host: HOST, port: 8080 };
const SRV: DnsTarget = { kind: 'srv', host: `_http._tcp.${HOST}` };

const cleanups: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function begin(target: DnsTarget, records: Records, prepare = (_: FakeDns) => {}) {
  const server = await startFakeDns(records);
  cleanups.push(server.stop);
  prepare(server);
  const [clock, recorder] = [new ManualClock(), new Recorder()];
  const source = dnsSource({ target, log: recorder.log, clock, resolver: server.resolver });
  cleanups.push(() => source.stop());
  recorder.start(source);
  return { server, clock, recorder, source, status: () => source.status(clock.now()) };
}

const a = (ip: string, name = HOST) => ({ type: 'A' as const, name, data: ip });
const srv = (target: string, port: number) => ({ type: 'SRV' as const, name: SRV.host, data: { target, port } });

describe('what a headless Service says', () => {
  it('addresses: pods are named by them', async () => {
    const { recorder } = await begin(ADDRESSES, [a('10.0.0.2'), a('10.0.0.1')]);
    await recorder.untilPods('10.0.0.1=10.0.0.1:8080 10.0.0.2=10.0.0.2:8080');
    expect(recorder.last).toMatchObject({ source: 'dns', pods: [{ id: '10.0.0.1:8080', state: 'serving' }, {}] });
  });

  it('addresses of IPv6, when there are no others', async () => {
    const { recorder } = await begin(ADDRESSES, [{ type: 'AAAA', name: HOST, data: 'fd00::7' }]);
    await recorder.untilPods('fd00--7=[fd00::7]:8080');
  });

  it('of a StatefulSet, SRV records: pods have their names and ports', async () => {
    const names = [`chat-0.${HOST}`, `chat-1.${HOST}`] as const;
    const records = [srv(names[1], 8082), srv(names[0], 8081), a('10.0.0.2', names[1]), a('10.0.0.1', names[0])];
    const { recorder } = await begin(SRV, records);
    await recorder.untilPods('chat-0=10.0.0.1:8081 chat-1=10.0.0.2:8082');
  });
});

describe('later answers', () => {
  it('are asked for every 5 s, and told when they differ', async () => {
    const { server, clock, recorder } = await begin(ADDRESSES, [a('10.0.0.1')]);
    await recorder.untilPods('10.0.0.1=10.0.0.1:8080');
    server.records = [a('10.0.0.1'), a('10.0.0.2')];
    clock.advance(4_999);
    expect(server.asked).toBe(1);
    clock.advance(1);
    await recorder.untilPods('10.0.0.1=10.0.0.1:8080 10.0.0.2=10.0.0.2:8080');
  });

  it('that are errors leave the last pods, and are told once, with their end', async () => {
    const { server, clock, recorder, status } = await begin(ADDRESSES, [a('10.0.0.1')]);
    await recorder.untilPods('10.0.0.1=10.0.0.1:8080');
    server.fails = true;
    clock.advance(5_000);
    await recorder.untilLine('(the last pods stay)');
    expect(status()).toMatchObject({ ready: true, failures: 1, lastError: expect.stringContaining('ESERVFAIL') });
    server.fails = false;
    clock.advance(5_000);
    await recorder.untilLine('DNS names the pods again');
    expect(status()).not.toHaveProperty('lastError');
    expect(status().problems).toBe(0);
    expect(recorder.topologies).toHaveLength(1);
  });
});

it('a name that nobody knows: not ready, and told what to look for', async () => {
  const { recorder, status } = await begin(ADDRESSES, []);
  await recorder.untilLine('is there a headless Service of that name');
  expect(recorder.warnings).toEqual([
    `DNS does not name the pods of ${HOST}: queryA ENOTFOUND ${HOST} (there are no pods until it answers); is there a headless Service of that name, with ready pods?`,
  ]);
  expect(status()).toMatchObject({ source: 'dns', ready: false });
});

it('says nothing when it is stopped while it asks, and asks no more', async () => {
  const { server, clock, recorder, source } = await begin(ADDRESSES, [a('10.0.0.1')]);
  await source.stop();
  await source.stop();
  clock.advance(60_000);
  expect(clock.pending).toBe(0);
  expect(server.asked).toBeLessThanOrEqual(1);
  expect([recorder.topologies, recorder.lines]).toEqual([[], []]);
});
