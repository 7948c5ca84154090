import { describe, expect, it } from 'vitest';
import { failureOfAnswer, readPage, readRetryAfter, readWatchLine } from '../../proxy/discovery/api-answers.ts';
import { type Failure, type Phase, remedyFor } from '../../proxy/discovery/failure.ts';

const BACKOFF = { baseMs: 100, capMs: 10_000 };
const TARGET = { namespace: 'shop', service: 'backend', portName: 'stomp' };
const bytes = (value: unknown) => Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));

describe('the remedy for a failure', () => {
  const http = (status: number, rest: Partial<Failure> = {}): Failure => ({
    kind: 'http',
    status,
    message: '',
    ...rest,
  });
  const kind = (name: Exclude<Failure['kind'], 'http'>): Failure => ({ kind: name, message: '' });

  // random is 0.5, so a jittered delay is half of its most.
  it.each<[string, Failure, Phase, number, number, object]>([
    ['a broken watch goes on from its version', kind('network'), 'watch', 0, 0, { next: 'watch', delayMs: 50 }],
    ['a broken list lists', kind('network'), 'list', 3, 0, { next: 'list', delayMs: 400 }],
    ['a broken page lists from the first', kind('network'), 'page', 0, 0, { next: 'list', whole: false }],
    ['the delay is capped', kind('network'), 'list', 99, 0, { delayMs: 5_000 }],
    ['new certificates are looked for', kind('tls'), 'watch', 0, 0, { next: 'watch', refresh: true }],
    ['a kubeconfig is read again', kind('credentials'), 'list', 0, 0, { next: 'list', refresh: true }],
    ['a watch that cannot be read is not trusted', kind('malformed'), 'watch', 0, 0, { next: 'list', delayMs: 50 }],
    ['a silent watch is not trusted', kind('silent'), 'watch', 0, 0, { next: 'list', delayMs: 50 }],
    ['401: new credentials at once', http(401), 'watch', 5, 0, { next: 'watch', refresh: true, delayMs: 0 }],
    ['401 again: backed off', http(401), 'watch', 5, 1, { next: 'watch', refresh: true, delayMs: 1_600 }],
    ['403 is asked again', http(403), 'watch', 2, 0, { next: 'watch', refresh: false, delayMs: 200 }],
    ['404 lists', http(404), 'watch', 0, 0, { next: 'list', delayMs: 50 }],
    ['400 lists', http(400), 'watch', 0, 0, { next: 'list', delayMs: 50 }],
    ['410 of a watch lists at once', http(410), 'watch', 0, 0, { next: 'list', delayMs: 0, whole: false }],
    ['410 again: backed off', http(410), 'watch', 1, 0, { next: 'list', delayMs: 100 }],
    ['410 of a page lists without pages', http(410), 'page', 0, 0, { next: 'list', delayMs: 0, whole: true }],
    ['429 waits as asked', http(429, { retryAfterMs: 3_000 }), 'watch', 0, 0, { next: 'watch', delayMs: 3_375 }],
    ['503 waits as asked', http(503, { retryAfterMs: 1_000 }), 'list', 0, 0, { next: 'list', delayMs: 1_125 }],
    [
      '503 that asks for an hour is not believed',
      http(503, { retryAfterMs: 3_600_000 }),
      'list',
      0,
      0,
      { delayMs: 67_500 },
    ],
    ['503 that asks for less than the backoff', http(503, { retryAfterMs: 1 }), 'list', 9, 0, { delayMs: 5_000 }],
    ['500 is asked again', http(500), 'watch', 1, 0, { next: 'watch', delayMs: 100 }],
    ['504 of a gateway is asked again', http(504), 'watch', 0, 0, { next: 'watch', delayMs: 50 }],
    [
      '504 too large version waits',
      http(504, { versionTooLarge: true }),
      'watch',
      0,
      0,
      { next: 'watch', delayMs: 1_000 },
    ],
    [
      '504 too large version waits as asked',
      http(504, { versionTooLarge: true, retryAfterMs: 2_000 }),
      'watch',
      0,
      0,
      { next: 'watch', delayMs: 2_250 },
    ],
    ['504 too large version for ever lists', http(504, { versionTooLarge: true }), 'watch', 5, 0, { next: 'list' }],
  ])('%s', (_what, failure, phase, attempt, unauthorized, remedy) => {
    expect(remedyFor(failure, { phase, attempt, unauthorized }, 0.5, BACKOFF)).toMatchObject(remedy);
  });
});

describe('an answer with an error status', () => {
  it.each([
    [
      403,
      { kind: 'Status', message: 'User "x" cannot list' },
      'bind a Role in namespace shop with apiGroups ["discovery.k8s.io"], resources ["endpointslices"], verbs ["list", "watch"]; one that has just started says this too, until it has read its Roles; it says: User "x" cannot list',
    ],
    [401, { kind: 'Status' }, 'does not accept the credentials (401): renew the token'],
    [404, '404 page not found', 'does not know discovery.k8s.io/v1 (404): it needs Kubernetes 1.21 or newer'],
    [410, { message: 'too old resource version: 1 (2)' }, 'the version to go on from is too old (410): listing anew'],
    [502, '<html>Bad Gateway', 'the Kubernetes API answered 502'],
    [
      500,
      { message: 'etcdserver: leader changed' },
      'the Kubernetes API answered 500; it says: etcdserver: leader changed',
    ],
    [302, '', 'the Kubernetes API answered 302'],
  ])('%i %j', (status, body, message) => {
    const failure = failureOfAnswer({ status, retryAfterMs: undefined }, bytes(body), TARGET);
    expect(failure).toMatchObject({ kind: 'http', status });
    expect(failure.message).toContain(message);
  });

  it('knows a "too large resource version" from any other 504', () => {
    const details = { causes: [{ reason: 'ResourceVersionTooLarge' }], retryAfterSeconds: 1 };
    const head = { status: 504, retryAfterMs: undefined };
    expect(failureOfAnswer(head, bytes({ details }), TARGET)).toMatchObject({
      versionTooLarge: true,
      retryAfterMs: 1_000,
    });
    expect(failureOfAnswer(head, bytes({}), TARGET)).not.toHaveProperty('versionTooLarge');
  });

  it('takes Retry-After from the header before the body', () => {
    const head = { status: 429, retryAfterMs: readRetryAfter('7') };
    expect(failureOfAnswer(head, bytes({ details: { retryAfterSeconds: 1 } }), TARGET).retryAfterMs).toBe(7_000);
  });

  it.each([[undefined], [''], ['-1'], ['1.5'], ['Wed, 21 Oct 2026 07:28:00 GMT'], ['9'.repeat(10)]])(
    'ignores Retry-After %j',
    (header) => {
      expect(readRetryAfter(header)).toBeUndefined();
    },
  );
});

describe('a line of a watch', () => {
  const object = { metadata: { name: 's', resourceVersion: '7' }, addressType: 'IPv4' };

  it.each([
    [
      { type: 'ADDED', object },
      { type: 'put', slice: { name: 's', resourceVersion: '7' } },
    ],
    [{ type: 'MODIFIED', object }, { type: 'put' }],
    [{ type: 'DELETED', object }, { type: 'remove' }],
    [
      { type: 'BOOKMARK', object: { metadata: { resourceVersion: '8' } } },
      { type: 'bookmark', resourceVersion: '8' },
    ],
    [
      { type: 'ERROR', object: { code: 410 } },
      { kind: 'http', status: 410 },
    ],
    [
      { type: 'ERROR', object: null },
      { kind: 'http', status: 500 },
    ],
  ])('%j', (line, read) => {
    expect(readWatchLine(bytes(line), TARGET)).toMatchObject(read);
  });

  it.each([
    '',
    '{"type":"ADD',
    'null',
    '[]',
    '{"type":"WHATEVER"}',
    '{"type":"BOOKMARK","object":{}}',
    '{"type":"ADDED","object":{"metadata":{}}}',
  ])('%j cannot be read', (line) => {
    expect(() => readWatchLine(bytes(line), TARGET)).toThrow();
  });

  it('of bytes that are no UTF-8 cannot be read', () => {
    expect(() => readWatchLine(Uint8Array.of(0x22, 0xff, 0x22), TARGET)).toThrow();
  });
});

describe('a page of a list', () => {
  it.each([
    [{ metadata: { resourceVersion: '7' } }, undefined],
    [{ metadata: { resourceVersion: '7', continue: '' }, items: null }, undefined],
    [{ metadata: { resourceVersion: '7', continue: 'more' }, items: [] }, 'more'],
  ])('%j', (body, continueToken) => {
    expect(readPage(bytes({ kind: 'EndpointSliceList', ...body }))).toEqual({
      slices: [],
      resourceVersion: '7',
      continueToken,
    });
  });

  it.each([
    ['<html>'],
    [{}],
    [{ kind: 'PodList', metadata: { resourceVersion: '1' } }],
    [{ kind: 'EndpointSliceList', metadata: {} }],
  ])('%j cannot be read', (body) => {
    expect(() => readPage(bytes(body))).toThrow();
  });
});
