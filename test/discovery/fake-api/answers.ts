/** The JSON that an API server answers with. */
import type { SliceObject } from './slice-history.ts';

export function statusObject(code: number, message: string, details?: object): object {
  const base = { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, code };
  return { ...base, reason: REASONS[code] ?? '', ...(details === undefined ? {} : { details }) };
}

const REASONS: Record<number, string> = {
  401: 'Unauthorized',
  403: 'Forbidden',
  404: 'NotFound',
  410: 'Expired',
  429: 'TooManyRequests',
  500: 'InternalError',
  503: 'ServiceUnavailable',
  504: 'Timeout',
};

export function listObject(items: SliceObject[], version: number, continueToken: string | undefined): object {
  const metadata = {
    resourceVersion: String(version),
    ...(continueToken === undefined ? {} : { continue: continueToken }),
  };
  return { kind: 'EndpointSliceList', apiVersion: 'discovery.k8s.io/v1', metadata, items };
}

/** What kubectl asks before it knows what an EndpointSlice is. */
export const DISCOVERY: Record<string, object> = {
  '/version': { major: '1', minor: '34', gitVersion: 'v1.34.0-fake' },
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/api/v1': { kind: 'APIResourceList', groupVersion: 'v1', resources: [] },
  '/apis': {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: [
      {
        name: 'discovery.k8s.io',
        versions: [{ groupVersion: 'discovery.k8s.io/v1', version: 'v1' }],
        preferredVersion: { groupVersion: 'discovery.k8s.io/v1', version: 'v1' },
      },
    ],
  },
  '/apis/discovery.k8s.io/v1': {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: 'discovery.k8s.io/v1',
    resources: [
      {
        name: 'endpointslices',
        singularName: 'endpointslice',
        namespaced: true,
        kind: 'EndpointSlice',
        verbs: ['get', 'list', 'watch'],
      },
    ],
  },
};
