import { BuilditError } from '../model/errors.ts';
import { shownNames } from '../model/shown-name.ts';
import type { RemoteWriter } from '../remote/remote-place.ts';

/** What file systems and web servers put into a directory that is otherwise empty. */
const HARMLESS: readonly string[] = ['lost+found', 'robots.txt', 'favicon.ico'];

/** Refuses to make a binhost among files of something else: its pages would take their place. Hidden files do not count. */
export async function refuseForeignFiles(writer: RemoteWriter): Promise<void> {
  const entries = await writer.list('');
  const foreign = entries.map(({ name }) => name).filter((name) => !name.startsWith('.') && !HARMLESS.includes(name));
  if (foreign.length === 0) return;
  throw new BuilditError(
    'cannot-write',
    `Cannot make a binhost at ${writer.shown}: expected a new or an empty directory, found ${shownNames(foreign)}`,
    { hint: 'name another directory, such as one below this one; or remove the files' },
  );
}
