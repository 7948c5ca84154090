/**
 * What a client did that this backend does not take. It is thrown by whatever notices, and the session answers it with
 * an ERROR frame and closes, as every STOMP server must (STOMP 1.2, "ERROR").
 *
 * `message` is a short fixed text, safe in a header of any version; `detail` goes into the body, where nothing needs an
 * escape, so that it may quote what came in.
 */
export class Refusal extends Error {
  readonly detail: string;
  readonly headers: Readonly<Record<string, string>>;

  constructor(message: string, detail: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.name = 'Refusal';
    this.detail = detail;
    this.headers = headers;
  }
}
