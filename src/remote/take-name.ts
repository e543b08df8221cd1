import { randomInt } from 'node:crypto';
import { isFault, PlaceFault, type PlaceFiles } from './place-files.ts';
import { tryAgain } from './try-again.ts';

/**
 * Gives a finished draft a name that nobody has yet; false where it is taken. Of many at once exactly one gets it, and
 * who got it knows, even where the connection broke before the answer came. The draft may be there afterwards.
 */
export async function takeName(files: PlaceFiles, draft: string, name: string): Promise<boolean> {
  try {
    return await takeByLink(files, draft, name);
  } catch (error) {
    if (!isFault(error, 'unsupported')) throw error;
    return await takeByRename(files, draft, name).catch((second: unknown) => {
      throw withFirst(second, error.message);
    });
  }
}

/** Both answers: the first one may be the reason for the second. */
function withFirst(error: unknown, first: string): unknown {
  if (!(error instanceof PlaceFault) || error.kind === 'lost' || error.message === first) return error;
  return new PlaceFault(error.kind, `${error.message} (and for a hard link ${first})`, error, error.creating);
}

async function takeByLink(files: PlaceFiles, draft: string, name: string): Promise<boolean> {
  let uncertain = false;
  return tryAgain(async () => {
    if (uncertain && (await isSameFile(files, draft, name))) return true;
    uncertain = true;
    return unlessTaken(files.link(draft, name));
  });
}

async function takeByRename(files: PlaceFiles, draft: string, name: string): Promise<boolean> {
  let uncertain = false;
  return tryAgain(async () => {
    if (uncertain && (await files.lstat(draft)) === undefined) return true;
    uncertain = true;
    return unlessTaken(files.rename(draft, name));
  });
}

async function unlessTaken(taking: Promise<void>): Promise<boolean> {
  try {
    await taking;
    return true;
  } catch (error) {
    if (isFault(error, 'taken')) return false;
    throw error;
  }
}

/** SFTP tells no inode numbers, but two names of one file have one modification time. */
async function isSameFile(files: PlaceFiles, draft: string, name: string): Promise<boolean> {
  const before = await files.lstat(name);
  if (before === undefined) return false;
  // Later than now, so that no collector of garbage takes the file for an old one meanwhile.
  const mark = before.mtime + randomInt(1, 3600);
  await files.setTime(draft, mark);
  const after = await files.lstat(name);
  await files.setTime(draft, before.mtime);
  return after?.mtime === mark;
}
