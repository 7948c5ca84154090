/** HOST:PORT, an IPv6 host in brackets. Throws a RangeError that says what is wrong. */
export function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+)):([0-9]{1,5})$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port <= 65_535)) {
    throw new RangeError(`listen must be HOST:PORT, as in 127.0.0.1:8080 or [::1]:0, not ${JSON.stringify(text)}`);
  }
  return { host, port };
}
