/** What a person gave discovery (a flag, a file, a kubeconfig) is wrong. The message says what, where and what to do. */
export class DiscoveryError extends Error {
  override readonly name = 'DiscoveryError';
}

/** The first sentence of whatever was thrown, short enough for a log line. Node hides the parts of a failed dual-stack dial. */
export function messageOf(error: unknown): string {
  const first = error instanceof AggregateError && error.message === '' ? error.errors[0] : error;
  const text = first instanceof Error ? first.message : String(first);
  return (text.trim().split('\n')[0] ?? '').slice(0, 300);
}

/** The `code` that Node puts on system and TLS errors. */
export function codeOf(error: unknown): string | undefined {
  const first = error instanceof AggregateError && error.message === '' ? error.errors[0] : error;
  if (typeof first !== 'object' || first === null || !('code' in first)) return undefined;
  return typeof first.code === 'string' ? first.code : undefined;
}
