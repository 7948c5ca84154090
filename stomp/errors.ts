/** What was wrong with the bytes of a peer; every value is a stable name for logs and metric labels. */
export type StompErrorCode =
  | 'frame-too-large'
  | 'header-too-large'
  | 'too-many-headers'
  | 'unknown-command'
  | 'bad-header'
  | 'bad-escape'
  | 'bad-content-length'
  | 'missing-nul'
  | 'unexpected-body'
  | 'not-text';

/**
 * The one error that bytes of a peer can cause. The message says what was wrong and where, and never quotes header values
 * or bodies, because it is written for logs and for the `message` header of an ERROR frame.
 */
export class StompError extends Error {
  readonly code: StompErrorCode;

  constructor(code: StompErrorCode, message: string) {
    super(message);
    this.name = 'StompError';
    this.code = code;
  }
}

/** `what` completes the sentence "SEND frame …". */
export function frameFault(code: StompErrorCode, command: string, what: string): StompError {
  return new StompError(code, `${command} frame ${what}`);
}

/** Quotes the line only if it looks like a command: the octets may be part of anything, a password too. */
export function unknownCommand(peer: string, line = ''): StompError {
  const quoted = /^[A-Za-z]+$/.test(line) ? ` '${line}'` : '';
  return new StompError('unknown-command', `expected a STOMP ${peer} frame, found an unknown command${quoted}`);
}
