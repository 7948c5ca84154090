/** Which of the names that exist a person most likely meant. */

/** Levenshtein's distance: letters to put in, take out or change. */
export function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}

/** drainMaxMs, DRAIN_MAX and drain.max are read as drain-max: ways of writing are no differences. */
export function plain(name: string): string {
  return name
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1-$2')
    .toLowerCase()
    .replaceAll(/[._\s]+/g, '-')
    .replace(/-(ms|bytes)$/, '');
}

const lastPart = (name: string) => plain(name.slice(name.lastIndexOf('.') + 1));

/**
 * A name without its section, or in a wrong one, is a little further than one that is written wrong; so is one outside
 * of sections for a name in one (ring-key is not ring.key). A name that is not written to its end is near.
 */
function far(given: string, name: string): number {
  if (name.startsWith(`${given}-`)) return 0.5;
  const [whole, last] = [plain(given), lastPart(given)];
  const elsewhere = Math.min(distance(whole, lastPart(name)), distance(last, lastPart(name))) + 0.5;
  const outside = given.includes('.') && !name.includes('.') ? 1 : 0;
  return Math.min(distance(whole, plain(name)), elsewhere) + outside;
}

/** The nearest of the names, unless even that one is further than a third of what was given (2 for short ones). */
export function nearest(given: string, names: Iterable<string>): string | undefined {
  // Nobody mistypes a name this long, and the distance costs length times length.
  if (given.length > 128) return undefined;
  let best: { name: string; far: number } | undefined;
  for (const name of names) {
    const here = { name, far: far(given, name) };
    if (best === undefined || here.far < best.far) best = here;
  }
  const most = Math.max(2, Math.floor(plain(given).length / 3));
  return best !== undefined && best.far <= most ? best.name : undefined;
}
