/** What the manifests are called, and where they are. */
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = fileURLToPath(new URL('../../', import.meta.url));
export const folder = join(root, 'manifests');

/** Everything that somebody may render. */
export const OVERLAYS = ['spring', 'ingress-nginx', 'gateway-api', 'producers'].map((name) => `overlays/${name}`);
export const RENDERED = ['base', ...OVERLAYS];

/** What Kubernetes puts in place of $(NAMESPACE) in the Deployment: HOLDFAST_KUBERNETES as a proxy in `chat` sees it. */
export const PROXY_ENV = { HOLDFAST_KUBERNETES: 'chat/backend:http' };
