/**
 * What may be sent. A message is checked once, before it takes a place in a queue, so that every later step may rely on
 * it: no header can be smuggled in with a line break, no path left with a lone surrogate.
 */
import { ProducerError } from './errors.ts';

/** Spring, RabbitMQ and Artemis all take longer ones; more than this is a mistake, and it must fit in a header and a URL. */
export const MAX_USER_BYTES = 512;
export const MAX_DESTINATION_BYTES = 512;
/** A UUID has 36 characters; a session keeps thousands of these. */
export const MAX_ID_CHARACTERS = 128;
export const MAX_CONTENT_TYPE_CHARACTERS = 256;
/** The rest of a frame's header room (8 KiB by default) belongs to the destination, ids and subscription. */
export const MAX_HEADERS = 32;
export const MAX_HEADER_CHARACTERS = 4096;

/** Names that the message's own fields or the transport set. */
const RESERVED_HEADERS = new Set([
  'connection',
  'content-encoding',
  'content-length',
  'content-type',
  'destination',
  'expect',
  'host',
  'id',
  'keep-alive',
  'message-id',
  'receipt',
  'subscription',
  'te',
  'trailer',
  'transaction',
  'transfer-encoding',
  'upgrade',
]);

/** RFC 9110 token: legal as an HTTP field name and, having no colon, as a STOMP header name. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is the point
const CONTROL = /[\u0000-\u001f\u007f]/;
/** What Node lets into an HTTP header value; STOMP would take any UTF-8, but a message must fit both transports. */
const PRINTABLE_LATIN = /^[\u0020-\u007e\u00a0-\u00ff]*$/;

export interface Draft {
  readonly user: string;
  readonly destination: string;
  readonly id?: string | undefined;
  readonly seq?: string | undefined;
  readonly contentType?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

/** Throws `ProducerError` `bad-message`; the text names the field and the rule and repeats no value. */
export function checkDraft(draft: Draft): void {
  checkUser(draft.user);
  checkDestination(draft.destination);
  if (draft.id !== undefined) checkId('id', draft.id);
  if (draft.seq !== undefined) checkId('seq', draft.seq);
  if (draft.contentType !== undefined) checkValue('contentType', draft.contentType, MAX_CONTENT_TYPE_CHARACTERS);
  if (draft.headers !== undefined) checkHeaders(draft.headers);
}

export function checkUser(user: string): void {
  checkText('user', user, MAX_USER_BYTES);
}

export function checkDestination(destination: string): void {
  checkText('destination', destination, MAX_DESTINATION_BYTES);
  if (!destination.startsWith('/')) throw bad("destination must start with '/', for example /queue/prices");
  if (destination.startsWith('/user/')) {
    throw bad('destination must be given without /user: what a client subscribes to as /user/queue/x is /queue/x here');
  }
}

function checkText(field: string, text: string, maxBytes: number): void {
  if (typeof text !== 'string' || text === '') throw bad(`${field} must be a string that is not empty`);
  if (!text.isWellFormed()) throw bad(`${field} must be well-formed Unicode`);
  if (CONTROL.test(text)) throw bad(`${field} must not contain control characters`);
  if (Buffer.byteLength(text) > maxBytes) throw bad(`${field} must not be longer than ${maxBytes} bytes`);
}

function checkId(field: string, value: string): void {
  checkValue(field, value, MAX_ID_CHARACTERS);
  if (value === '') throw bad(`${field} must not be empty`);
}

function checkValue(field: string, value: string, maxCharacters: number): void {
  if (typeof value !== 'string' || !PRINTABLE_LATIN.test(value)) {
    throw bad(`${field} must be a string of printable ISO 8859-1 characters`);
  }
  if (value.length > maxCharacters) throw bad(`${field} must not be longer than ${maxCharacters} characters`);
}

function checkHeaders(headers: Readonly<Record<string, string>>): void {
  const entries = Object.entries(headers);
  if (entries.length > MAX_HEADERS) throw bad(`headers must not be more than ${MAX_HEADERS}`);
  let characters = 0;
  for (const [name, value] of entries) {
    checkHeaderName(name);
    checkValue(`header ${name}`, value, MAX_HEADER_CHARACTERS);
    characters += name.length + value.length;
  }
  if (characters > MAX_HEADER_CHARACTERS) {
    throw bad(`headers must not be longer than ${MAX_HEADER_CHARACTERS} characters together`);
  }
}

function checkHeaderName(name: string): void {
  if (!TOKEN.test(name)) throw bad('header names must be HTTP tokens (RFC 9110 section 5.6.2)');
  const lower = name.toLowerCase();
  if (RESERVED_HEADERS.has(lower) || lower.startsWith('holdfast-')) {
    throw bad(`header ${name} is set by the producer itself; use the field of the message where there is one`);
  }
}

function bad(message: string): ProducerError {
  return new ProducerError('bad-message', message);
}
