/**
 * Patterns of destinations, as Spring writes them: `*` stands for anything within one part, `**` for any number of parts, and
 * everything else for itself. Parts are divided by `/`; RabbitMQ's dots within a part mean nothing here.
 */

/** A function that tells whether a destination matches any of the patterns. */
export function destinationMatcher(patterns: readonly string[]): (destination: string) => boolean {
  if (patterns.length === 0) return () => false;
  const regexp = new RegExp(`^(?:${patterns.map(source).join('|')})$`, 's');
  return (destination) => regexp.test(destination);
}

/** `/a/**` is `/a` too, as in Spring. */
function source(pattern: string): string {
  return pattern
    .replaceAll(/[.+?^${}()|[\]\\]/g, '\\$&')
    .replaceAll(/\/\*\*|\*\*|\*/g, (stars) => ({ '/**': '(?:/.*)?', '**': '.*', '*': '[^/]*' })[stars] ?? stars);
}
