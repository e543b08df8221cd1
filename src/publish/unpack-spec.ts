import { randomBytes } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import { mkdir, open, readdir, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { readTar } from '../layer/read-tar.ts';
import type { TarMember } from '../layer/tar-member.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { repositoryFinder } from '../model/repository-names.ts';
import { makeDirectory, removeTree, syncDirectory } from '../system/files.ts';
import { systemErrorCode, writeFailure } from '../system/write-failure.ts';
import { placeOfConfig } from './place-of-config.ts';

/** Above every spec of text files and patches, below what would fill a disk. */
const LIMITS = { maxBytes: 4 * 2 ** 30, maxEntries: 100_000, maxDepth: 40, maxNameBytes: 1000 };

/**
 * Writes a container spec into a directory that is new or empty. Files and directories alone are accepted, each once,
 * with their parents before them, and nothing that a version control system would take for a repository and obey. The directory appears whole or,
 * whatever goes wrong, not at all.
 *
 * @throws BuilditError `archive-refused`, `cannot-write`
 */
export async function unpackSpec(spec: AsyncIterable<Uint8Array>, directory: string, what: string): Promise<number> {
  await refuseContent(directory);
  const parent = dirname(directory);
  const draft = join(parent, `.${basename(directory).slice(0, 100)}.${randomBytes(6).toString('hex')}.tmp`);
  try {
    makeDirectory(parent);
    mkdirSync(draft, 0o755);
    let files = 0;
    const repositoryAt = repositoryFinder();
    for await (const member of readTar(spec, { ...LIMITS, what })) {
      const repository = repositoryAt(member.path);
      if (repository !== undefined) throw refused(what, member.path, 'the files of a container', repository);
      await writeMember(draft, member, what);
      if (member.type === 'file') files += 1;
    }
    await rename(draft, directory);
    await syncDirectory(parent);
    return files;
  } catch (error) {
    await removeTree(draft);
    if (error instanceof BuilditError) throw error;
    const code = systemErrorCode(error);
    if (code === 'ENOTEMPTY' || code === 'EEXIST') throw taken(directory, 'files in it');
    throw writeFailure(error, { verb: 'write', path: directory });
  }
}

/** Says it before anything is fetched; renaming onto the directory says it again. */
export async function refuseContent(directory: string): Promise<void> {
  let names: readonly string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'ENOENT') return;
    if (code === 'ENOTDIR') throw taken(directory, 'a file');
    throw writeFailure(error, { verb: 'write', path: directory });
  }
  if (names.length > 0) throw taken(directory, 'files in it');
}

function taken(directory: string, found: string): BuilditError {
  return new BuilditError(
    'cannot-write',
    `Cannot write to "${printable(directory)}": expected a new or an empty directory, found ${found}`,
    { hint: 'name another directory, or remove this one' },
  );
}

async function writeMember(root: string, member: TarMember, what: string): Promise<void> {
  const { type, path, mode, content } = member;
  const written = placeOfConfig(path, type);
  if (written === undefined) throw refused(what, path, 'the files of a container', 'a name of configurations');
  const place = join(root, written);
  try {
    if (type === 'directory') await mkdir(place, 0o755);
    else if (type === 'file') await writeNew(place, content, (mode & 0o100) === 0 ? 0o644 : 0o755);
    else throw refused(what, path, 'a file or a directory', `a ${type}`);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === 'EEXIST') throw refused(what, path, 'each name once', 'it twice');
    if (code === 'ENOENT' || code === 'ENOTDIR') throw refused(what, path, 'its directory before it', 'none');
    throw error;
  }
}

async function writeNew(path: string, content: AsyncIterable<Uint8Array>, mode: number): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    for await (const chunk of content) await file.appendFile(chunk);
    await file.chmod(mode);
    await file.sync();
  } finally {
    await file.close();
  }
}

function refused(what: string, path: string, expected: string, found: string): BuilditError {
  return new BuilditError(
    'archive-refused',
    `Cannot unpack "${printable(what)}": expected ${expected}, found ${found} at "${printable(path)}"`,
  );
}
