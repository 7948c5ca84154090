export { type Authority, makeAuthority } from './certificate.ts';
export { FakeApi, type Fault, startFakeApi } from './fake-api.ts';
export { kubeconfigText, temporaryFolder } from './kubeconfig.ts';
export { type FakePod, SliceController } from './slice-controller.ts';
export { SliceHistory } from './slice-history.ts';
