import { KubeError } from './kube-api.ts';
import { pause } from './pause.ts';

/** An API server that is away or cannot answer is asked again after so long, for as long as it takes. */
const RETRY_MS = 500;
const TOO_MANY_REQUESTS = 429;
const SERVER_ERROR = 500;

/**
 * Resolves with what `ask` gives once the API server has answered; rejects with its refusal (a status from 400 to 499), or when the
 * signal has come.
 */
export async function persist<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof KubeError && error.status !== TOO_MANY_REQUESTS && error.status < SERVER_ERROR) throw error;
    }
    await pause(RETRY_MS);
    signal.throwIfAborted();
  }
}
