import { expect, describe as group, it } from 'vitest';
import { readSlice } from '../../proxy/discovery/endpoint-slice.ts';
import { SliceStore } from '../../proxy/discovery/slice-store.ts';
import { type AddressFamily, type Union, unionOf } from '../../proxy/discovery/slices.ts';
import { topologyOf } from '../../proxy/discovery/topology-of.ts';
import { describe } from './recorder.ts';

interface Endpoint {
  ip: string;
  /** `name/uid`; none: no targetRef. */
  pod?: string;
  conditions?: { ready?: boolean | null; serving?: boolean | null; terminating?: boolean | null };
}

const SERVING = { ready: true, serving: true, terminating: false };
const DRAINING = { ready: false, serving: true, terminating: true };
const DYING = { ready: false, serving: false, terminating: true };
const UNREADY = { ready: false, serving: false, terminating: false };
const STOMP = [{ name: 'stomp', port: 8080, protocol: 'TCP' }];

let versions = 0;
function slice(name: string, endpoints: Endpoint[] | null, rest: object = {}) {
  versions += 1;
  return readSlice({
    metadata: { name, uid: `uid-of-${name}`, resourceVersion: String(versions) },
    addressType: 'IPv4',
    ports: STOMP,
    endpoints: endpoints?.map(({ ip, pod, conditions = SERVING }) => {
      const [podName, uid] = (pod ?? '').split('/');
      return {
        addresses: [ip],
        conditions,
        ...(pod === undefined ? {} : { targetRef: { kind: 'Pod', name: podName, uid } }),
      };
    }),
    ...rest,
  });
}

/** Slices in the order in which they were written; an array inside is written by one list. */
function union(
  writes: (ReturnType<typeof slice> | ReturnType<typeof slice>[])[],
  portName = 'stomp',
  family: AddressFamily = 'IPv4',
): Union {
  const store = new SliceStore();
  for (const write of writes) {
    if (Array.isArray(write)) store.replace(write);
    else store.put(write);
  }
  return unionOf(store.all(), { portName, family });
}

const pods = (result: Union) => describe(topologyOf(result.pods, 'kubernetes'));

group('the state of a pod', () => {
  it.each([
    ['serving', { ready: true, serving: true, terminating: false }],
    ['serving', {}],
    ['serving', { ready: null, serving: null, terminating: null }],
    ['serving', { ready: true }],
    ['draining', { ready: false, serving: true, terminating: true }],
    ['draining', { terminating: true }],
    ['unready', { ready: false, serving: false, terminating: false }],
    ['unready', { ready: false }],
    ['unready', { ready: false, terminating: true }],
    ['unready', { ready: false, serving: false, terminating: true }],
    // publishNotReadyAddresses: ready is true for everything.
    ['unready', { ready: true, serving: false, terminating: false }],
    ['draining', { ready: true, serving: true, terminating: true }],
    ['unready', { ready: true, serving: false, terminating: true }],
    // Conditions that were set by hand.
    ['unready', { ready: false, serving: true, terminating: false }],
  ])('is %s for %j', (state, conditions) => {
    const result = union([slice('s', [{ ip: '10.0.0.1', pod: 'a/1', conditions }])]);
    expect(result).toEqual({ pods: [{ id: '1', name: 'a', address: '10.0.0.1:8080', state }], problems: [] });
  });
});

group('one pod is one UID', () => {
  it('of all slices', () => {
    const result = union([
      slice('s1', [{ ip: '10.0.0.1', pod: 'a/1' }]),
      slice('s2', [{ ip: '10.0.0.2', pod: 'b/2' }]),
    ]);
    expect(pods(result)).toBe('a=10.0.0.1:8080 b=10.0.0.2:8080');
  });

  it('while it moves between slices: the slice written last knows its state', () => {
    const old = slice('s1', [{ ip: '10.0.0.1', pod: 'a/1', conditions: UNREADY }]);
    const young = slice('s2', [{ ip: '10.0.0.1', pod: 'a/1' }]);
    expect(pods(union([old, young]))).toBe('a=10.0.0.1:8080');
    expect(pods(union([young, old]))).toBe('!a=10.0.0.1:8080');
  });

  it.each([
    ['terminating is the later state', DRAINING, SERVING, '~a=10.0.0.1:8080'],
    ['serving is the safer state', UNREADY, SERVING, 'a=10.0.0.1:8080'],
  ])('in two slices of one list, whose order nobody knows: %s', (_why, one, other, result) => {
    const first = slice('s1', [{ ip: '10.0.0.1', pod: 'a/1', conditions: one }]);
    const second = slice('s2', [{ ip: '10.0.0.1', pod: 'a/1', conditions: other }]);
    expect(pods(union([[first, second]]))).toBe(result);
    expect(pods(union([[second, first]]))).toBe(result);
  });

  it('in a relist, a slice that did not change keeps its place in time', () => {
    const stale = slice('s1', [{ ip: '10.0.0.1', pod: 'a/1' }]);
    const fresh = slice('s2', [{ ip: '10.0.0.1', pod: 'a/1', conditions: UNREADY }]);
    expect(pods(union([stale, fresh, [fresh, stale]]))).toBe('!a=10.0.0.1:8080');
  });

  it('with both address families, by the preferred one', () => {
    const slices = [
      slice(
        'v6',
        [
          { ip: 'fd00:0::1', pod: 'a/1' },
          { ip: 'fd00::2', pod: 'b/2' },
        ],
        { addressType: 'IPv6' },
      ),
      slice('v4', [{ ip: '10.0.0.1', pod: 'a/1' }]),
    ];
    expect(pods(union(slices))).toBe('a=10.0.0.1:8080 b=[fd00::2]:8080');
    expect(pods(union(slices, 'stomp', 'IPv6'))).toBe('a=[fd00::1]:8080 b=[fd00::2]:8080');
  });

  it('with both address families: the state comes from the slice written last', () => {
    const v4 = slice('v4', [{ ip: '10.0.0.1', pod: 'a/1' }]);
    const v6 = slice('v6', [{ ip: 'fd00::1', pod: 'a/1', conditions: DRAINING }], { addressType: 'IPv6' });
    expect(pods(union([v4, v6]))).toBe('~a=10.0.0.1:8080');
  });

  it('or one address where there is no targetRef', () => {
    const result = union([slice('s1', [{ ip: '10.0.0.1' }]), slice('s2', [{ ip: '10.0.0.1' }, { ip: '10.0.0.2' }])]);
    expect(result.pods).toEqual([
      { id: '10.0.0.1:8080', name: '10.0.0.1:8080', address: '10.0.0.1:8080', state: 'serving' },
      { id: '10.0.0.2:8080', name: '10.0.0.2:8080', address: '10.0.0.2:8080', state: 'serving' },
    ]);
  });
});

group('ghosts', () => {
  const ghost = slice('s1', [{ ip: '10.0.0.1', pod: 'old/1', conditions: DRAINING }]);

  it.each([
    ['serves', SERVING, 'young=10.0.0.1:8080'],
    ['is not ready yet', UNREADY, '!young=10.0.0.1:8080'],
  ])('at an address: the pod that does not terminate stays, when it %s', (_what, conditions, result) => {
    const young = slice('s2', [{ ip: '10.0.0.1', pod: 'young/2', conditions }]);
    expect(pods(union([ghost, young]))).toBe(result);
    expect(pods(union([young, ghost]))).toBe(result);
    expect(union([ghost, young]).problems).toEqual([
      'pod old is left out: its address 10.0.0.1:8080 belongs to pod young now',
    ]);
  });

  it('at an address, both living: the ready one stays', () => {
    const unready = slice('s2', [{ ip: '10.0.0.1', pod: 'b/2', conditions: UNREADY }]);
    const serving = slice('s3', [{ ip: '10.0.0.1', pod: 'a/1' }]);
    expect(pods(union([serving, unready]))).toBe('a=10.0.0.1:8080');
  });

  it('at one host with different ports are different pods (host network)', () => {
    const other = slice('s2', [{ ip: '10.0.0.1', pod: 'young/2' }], { ports: [{ name: 'stomp', port: 8081 }] });
    expect(pods(union([ghost, other]))).toBe('~old=10.0.0.1:8080 young=10.0.0.1:8081');
  });

  it('of a name: a StatefulSet pod that came back under its name replaces the one that terminates', () => {
    const old = slice('s1', [{ ip: '10.0.0.1', pod: 'db-0/1', conditions: DYING }]);
    const young = slice('s2', [{ ip: '10.0.0.2', pod: 'db-0/2', conditions: UNREADY }]);
    expect(union([young, old]).pods).toEqual([{ id: '2', name: 'db-0', address: '10.0.0.2:8080', state: 'unready' }]);
  });
});

group('the port', () => {
  it('is found by its name in each slice', () => {
    const one = slice('s1', [{ ip: '10.0.0.1', pod: 'a/1' }], {
      ports: [
        { name: 'http', port: 80 },
        { name: 'stomp', port: 1111 },
      ],
    });
    const other = slice('s2', [{ ip: '10.0.0.2', pod: 'b/2' }], { ports: [{ name: 'stomp', port: 2222 }] });
    expect(pods(union([one, other]))).toBe('a=10.0.0.1:1111 b=10.0.0.2:2222');
  });

  it('without a name is found by the empty name', () => {
    const unnamed = slice('s', [{ ip: '10.0.0.1', pod: 'a/1' }], { ports: [{ port: 8080 }] });
    expect(pods(union([unnamed], ''))).toBe('a=10.0.0.1:8080');
  });

  it.each([
    [
      [{ name: 'http', port: 80 }, { port: 81 }],
      'EndpointSlice s: there is no port named "stomp"; the Service has: http, (no name)',
    ],
    [[], 'EndpointSlice s: there is no port named "stomp"; the Service has: no ports at all'],
    [null, 'EndpointSlice s: there is no port named "stomp"; the Service has: no ports at all'],
    [[{ name: 'stomp' }], 'EndpointSlice s: port "stomp" has no number to connect to'],
    [[{ name: 'stomp', port: 0 }], 'EndpointSlice s: port "stomp" has no number to connect to'],
    [[{ name: 'stomp', port: 80, protocol: 'UDP' }], 'EndpointSlice s: port "stomp" is UDP, not TCP'],
  ])('%j is a problem that is told', (ports, problem) => {
    expect(union([slice('s', [{ ip: '10.0.0.1', pod: 'a/1' }], { ports })])).toEqual({ pods: [], problems: [problem] });
  });

  it('of the placeholder slice of a Service without pods is no problem', () => {
    expect(union([slice('s', [], { ports: null })])).toEqual({ pods: [], problems: [] });
    expect(union([slice('s', null, { ports: [] })])).toEqual({ pods: [], problems: [] });
  });
});

group('addresses', () => {
  it('of type FQDN are refused loudly, and leave the others alone', () => {
    const result = union([
      slice('f', [{ ip: 'db.example.org' }], { addressType: 'FQDN' }),
      slice('s', [{ ip: '10.0.0.1', pod: 'a/1' }]),
    ]);
    expect(pods(result)).toBe('a=10.0.0.1:8080');
    expect(result.problems).toEqual([
      expect.stringContaining('EndpointSlice f has addressType FQDN; only IPv4 and IPv6'),
    ]);
  });

  it.each([['fd00::1'], ['name'], ['10.0.0.1:80'], ['']])('"%s" in an IPv4 slice is a problem', (ip) => {
    expect(union([slice('s', [{ ip, pod: 'a/1' }])])).toEqual({
      pods: [],
      problems: [`EndpointSlice s: "${ip}" is not an IPv4 address`],
    });
  });
});

it('ignores hints and zones: proxies everywhere agree on the owner', () => {
  const hinted = readSlice({
    metadata: { name: 's', resourceVersion: '1' },
    addressType: 'IPv4',
    ports: STOMP,
    endpoints: [{ addresses: ['10.0.0.1'], zone: 'b', nodeName: 'n', hints: { forZones: [{ name: 'a' }] } }],
  });
  expect(pods(union([hinted]))).toBe('10.0.0.1:8080=10.0.0.1:8080');
});

it.each([
  [null, 'an EndpointSlice is not an object'],
  [{}, 'metadata is not an object'],
  [{ metadata: {} }, 'metadata.name is not a text'],
  [{ metadata: { name: 's' } }, 'metadata.resourceVersion is not a text'],
  [{ metadata: { name: 's', resourceVersion: '1' } }, 'addressType is not a text'],
  [{ metadata: { name: 's', resourceVersion: '1' }, addressType: 'IPv4', endpoints: {} }, 'endpoints is not a list'],
  [
    { metadata: { name: 's', resourceVersion: '1' }, addressType: 'IPv4', ports: [{ port: '80' }] },
    'ports[].port is not an integer',
  ],
  [
    { metadata: { name: 's', resourceVersion: '1' }, addressType: 'IPv4', endpoints: [{ conditions: { ready: 1 } }] },
    'conditions.ready',
  ],
])('refuses an object that is no EndpointSlice: %j', (value, message) => {
  expect(() => readSlice(value)).toThrow(message);
});

it('a write that is told again is no newer for it', () => {
  const [older, newer] = [slice('a', []), slice('b', [])];
  const store = new SliceStore();
  store.put(older);
  store.put(newer);
  store.put(older);
  expect(
    store
      .all()
      .toSorted((x, y) => x.writtenAt - y.writtenAt)
      .map(({ slice: { name } }) => name),
  ).toEqual(['a', 'b']);
});
