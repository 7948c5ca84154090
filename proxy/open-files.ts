/** How many file descriptors this process has open: two for each session, and there is a limit to them. */
import { opendir, stat } from 'node:fs/promises';

const DIRECTORY = '/proc/self/fd';
/** Entries that are read at a time, on a kernel that has to be asked for each. */
const ENTRIES_PER_READ = 1024;

/**
 * Since Linux 6.2 the directory's size tells (proc(5)); before, it is read, in parts: a list of two hundred thousand names at once would hold
 * up every message.
 * @returns undefined where the system does not tell
 */
export async function openFiles(directory = DIRECTORY): Promise<number | undefined> {
  try {
    const { size } = await stat(directory);
    return size > 0 ? size : await entriesIn(directory);
  } catch {
    return undefined;
  }
}

/** Without the one by which the directory itself is read. */
async function entriesIn(directory: string): Promise<number> {
  let count = 0;
  for await (const _ of await opendir(directory, { bufferSize: ENTRIES_PER_READ })) count += 1;
  return count - 1;
}
