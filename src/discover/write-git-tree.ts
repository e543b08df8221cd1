import { writeFileSync } from 'node:fs';
import { symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { makeTraversableDirectory, syncDirectory, writeNewFile } from '../system/files.ts';
import { type GitEntry, isLinkInside } from './git-tree.ts';

/**
 * Writes a tree into an empty directory and brings it to the disk. `output` is what `git cat-file --batch` says when it
 * is asked for the entries in their order. Files are 0644 or 0755 whatever the umask; those of a temporary tree, which is
 * gone with this process, are not brought to the disk.
 *
 * @throws BuilditError `archive-refused` for a link that leads out, and for output of another form.
 */
export async function writeGitTree(
  entries: readonly GitEntry[],
  output: AsyncIterable<Buffer>,
  {
    directory,
    what,
    isTemporary = false,
  }: { readonly directory: string; readonly what: string; readonly isTemporary?: boolean },
): Promise<void> {
  const reader = createReader(output, what);
  const directories = new Set([directory]);
  for (const entry of entries) {
    const content = await reader.contentOf(entry);
    const path = join(directory, entry.path);
    for (let parent = dirname(path); !directories.has(parent); parent = dirname(parent)) directories.add(parent);
    makeTraversableDirectory(dirname(path));
    if (entry.kind === 'link') await symlink(checkedTarget(entry, content, what), path);
    else if (isTemporary) writeFileSync(path, content, { flag: 'wx', mode: entry.kind === 'program' ? 0o755 : 0o644 });
    else await writeNewFile(path, content, entry.kind === 'program' ? 0o755 : 0o644);
  }
  await reader.end();
  if (isTemporary) return;
  for (const written of directories) await syncDirectory(written);
}

function checkedTarget({ path }: GitEntry, content: Buffer, what: string): string {
  const target = content.toString('utf8');
  if (Buffer.from(target).equals(content) && isLinkInside(path, target)) return target;
  const message = `Cannot use "${printable(path)}" of ${what}: expected a link that stays inside, found one that may lead out`;
  throw new BuilditError('archive-refused', message);
}

/** Cuts the output of `git cat-file --batch` into contents; no more than one of them is in memory. */
function createReader(output: AsyncIterable<Buffer>, what: string) {
  const source = output[Symbol.asyncIterator]();
  let held: Buffer = Buffer.alloc(0);
  const more = async (): Promise<boolean> => {
    const { done, value } = await source.next();
    if (done !== true) held = held.length === 0 ? value : Buffer.concat([held, value]);
    return done !== true;
  };
  const refuse = (): never => {
    throw new BuilditError('archive-refused', `Cannot read ${what}: expected the files it lists, found something else`);
  };
  const takeBytes = async (size: number): Promise<Buffer> => {
    const parts = [held];
    let length = held.length;
    while (length < size) {
      const { done, value } = await source.next();
      if (done === true) return refuse();
      parts.push(value);
      length += value.length;
    }
    const whole = parts.length === 1 ? held : Buffer.concat(parts);
    held = whole.subarray(size);
    return whole.subarray(0, size);
  };
  return {
    async contentOf({ id, size }: GitEntry): Promise<Buffer> {
      while (!held.includes('\n')) if (held.length > 200 || !(await more())) refuse();
      const header = (await takeBytes(held.indexOf('\n') + 1)).toString('latin1');
      if (header !== `${id} blob ${size}\n`) refuse();
      const content = await takeBytes(size);
      if ((await takeBytes(1))[0] !== 0x0a) refuse();
      return content;
    },
    /** Lets the program end and say whether all went well. */
    async end(): Promise<void> {
      if (held.length > 0 || (await more())) refuse();
    },
  };
}
