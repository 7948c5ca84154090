import { describe, expect, test } from 'vitest';
import { countedBy, createMetrics, mergedPage } from '../../proxy/metrics.ts';

const scrape = async (metrics: ReturnType<typeof createMetrics>) => (await metrics.scrape()).text;
const series = (text: string, name: string) => text.split('\n').filter((line) => line.startsWith(name));

describe('metrics', () => {
  test('every metric is there from the start, with a help text, and no label can name a user', async () => {
    const text = await scrape(createMetrics({ process: false }));
    const names = [...text.matchAll(/^# HELP (\S+) (.+)$/gm)];
    expect(names.length).toBeGreaterThan(30);
    for (const [, name, help] of names) expect(`${name} ${help}`).toMatch(/^holdfast_[a-z_]+ .{10,}/);
    for (const [, name] of text.matchAll(/^# TYPE (\S+) counter$/gm)) expect(name).toMatch(/_total$/);
    const labels = new Set([...text.matchAll(/[{,]([a-z_]+)="/g)].map((match) => match[1]));
    const allowed = ['continuity', 'direction', 'le', 'outcome', 'reason', 'status'];
    expect([...labels].toSorted()).toEqual(allowed);
  });

  test('a scrape shows what was counted', async () => {
    const metrics = createMetrics({ process: false });
    const toClient = metrics.messages.of('to-client');
    toClient.inc();
    toClient.inc(2);
    metrics.heldBytes.inc(10);
    metrics.heldBytes.dec(4);
    metrics.topologyFailures.set(7);
    metrics.handoverGap.observe(0.0015);
    const text = await scrape(metrics);
    expect(text).toContain('holdfast_messages_total{direction="to-client"} 3\n');
    expect(text).toContain('holdfast_messages_total{direction="to-pod"} 0\n');
    expect(text).toContain('holdfast_held_bytes 6\n');
    expect(text).toContain('holdfast_topology_failures_total 7\n');
    expect(text).toContain('holdfast_handover_gap_seconds_bucket{le="0.001"} 0\n');
    expect(text).toContain('holdfast_handover_gap_seconds_bucket{le="0.002"} 1\n');
    toClient.inc();
    expect(await scrape(metrics)).toContain('holdfast_messages_total{direction="to-client"} 4\n');
  });

  test('series that are read anew end with what they told of', async () => {
    const metrics = createMetrics({ process: false });
    metrics.beforeScrape(() => {
      metrics.sessions.clear();
      metrics.sessions.of('b').set(4);
    });
    metrics.sessions.of('a').set(3);
    expect(series(await scrape(metrics), 'holdfast_sessions')).toEqual(['holdfast_sessions{pod="b"} 4']);
  });

  test('the ring has one series', async () => {
    const metrics = createMetrics({ process: false });
    metrics.ringIs('00000000000000aa');
    metrics.ringIs('00000000000000bb');
    expect(series(await scrape(metrics), 'holdfast_ring_info')).toEqual([
      'holdfast_ring_info{version="00000000000000bb"} 1',
    ]);
  });

  test.each([63, 64, 65, 100])(
    '%i codes that others name make at most 64 series and one for the rest',
    async (count) => {
      const metrics = createMetrics({ process: false });
      for (let i = 0; i < count; i++) metrics.protocolErrors.of(`code-${i}`).inc();
      const found = series(await scrape(metrics), 'holdfast_protocol_errors_total');
      expect(found).toHaveLength(Math.min(count, 65));
      const other = found.find((line) => line.includes('"other"'));
      expect(other).toBe(count > 64 ? `holdfast_protocol_errors_total{code="other"} ${count - 64}` : undefined);
    },
  );

  test('values can be read at the time of the scrape', async () => {
    const metrics = createMetrics({ process: false });
    let clients = 1;
    metrics.beforeScrape(() => metrics.clients.set(clients));
    expect(await scrape(metrics)).toContain('holdfast_clients 1\n');
    clients = 2;
    expect(await scrape(metrics)).toContain('holdfast_clients 2\n');
  });

  test('the process is measured too, its event loop above all', async () => {
    const text = await scrape(createMetrics());
    expect(text).toContain('nodejs_eventloop_lag_p99_seconds');
    expect(text).toContain('process_cpu_seconds_total');
  });
});

describe('metrics of several processes', () => {
  const process = (clients: number, delivered: number) => {
    const metrics = createMetrics({ process: false });
    metrics.beforeScrape(() => metrics.clients.set(clients));
    metrics.links.of('pod-1', 'live').set(clients);
    metrics.messages.of('to-client').inc(delivered);
    metrics.handoverGap.observe(0.003);
    return metrics.snapshot();
  };
  const rows = (text: string) => text.split('\n').filter((line) => !line.startsWith('#'));

  test('are sums, by label', async () => {
    const { text, contentType } = await mergedPage([await process(1, 10), await process(2, 20)]);
    expect(contentType).toBe((await createMetrics({ process: false }).scrape()).contentType);
    expect(rows(text)).toEqual(
      expect.arrayContaining([
        'holdfast_clients 3',
        'holdfast_links{pod="pod-1",state="live"} 3',
        'holdfast_messages_total{direction="to-client"} 30',
        'holdfast_handover_gap_seconds_bucket{le="0.005"} 2',
        'holdfast_handover_gap_seconds_count 2',
      ]),
    );
  });

  test('keep what a process has counted that is gone, and nothing of what it was', async () => {
    const departed = await countedBy([await process(1, 10), await process(1, 10)]);
    const { text } = await mergedPage([await process(2, 1), departed]);
    expect(rows(text)).toEqual(
      expect.arrayContaining([
        'holdfast_clients 2',
        'holdfast_messages_total{direction="to-client"} 21',
        'holdfast_handover_gap_seconds_count 3',
      ]),
    );
  });
});
