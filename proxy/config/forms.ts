/** Forms of text that more than one section of the schema takes. */
import { userHeaderName } from './source.ts';
import { matching, text } from './values.ts';

const FILE = /^[^\0]{1,4096}$/;
export const filePath = () => matching('FILE', 'the path of a file', FILE);
export const endpointPath = () =>
  matching('PATH', 'a path that begins with / and does not end with it', /^(\/[A-Za-z0-9._~!$&'()*+;=:@%-]+){1,32}$/);
export const headerName = () => text('HEADER', 'the name of an HTTP header', userHeaderName);
// Ports are written as decimal and names as in a Host header; RFC 9110 section 7.2.
export const hostHeader = () =>
  matching('HOST[:PORT]', 'HOST or HOST:PORT', /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]{1,253})(:\d{1,5})?$/);

export const destinationPattern = () =>
  matching('PATTERN', 'a destination; * and ** stand for parts of it', /^[^\0\s,]{1,512}$/);
