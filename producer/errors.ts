/**
 * Why `send` threw instead of returning a result:
 * - `bad-message`: the message can never be sent as it is; the text names the field and the rule.
 * - `queue-full`: a bound was reached; nothing of the message was kept. Try again later.
 * - `refused`: a pod has the user and will not take this message (400, 401, 413 …); trying again would not help.
 * - `closed`: the producer was closed before `send` was called.
 */
export type ProducerErrorCode = 'bad-message' | 'queue-full' | 'refused' | 'closed';

export class ProducerError extends Error {
  override readonly name = 'ProducerError';
  readonly code: ProducerErrorCode;

  constructor(code: ProducerErrorCode, message: string) {
    super(message);
    this.code = code;
  }
}
