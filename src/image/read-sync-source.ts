import { createHash } from 'node:crypto';
import { constants, type Stats } from 'node:fs';
import { type FileHandle, lstat, open, readdir, readlink, realpath } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import type { FileStep } from '../model/container.ts';
import { sha256 } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { excludeGlob } from '../model/exclude-glob.ts';
import { isCleanRelativePath, printable } from '../model/names.ts';
import type { SourcePosition } from '../model/source-position.ts';
import type { Witness } from '../system/witness.ts';
import type { MeasuredContent } from './layer-content.ts';

export type SyncStep = FileStep & { readonly kind: 'sync' };

/** Renders the text of a file with the container's variables; errors carry the position. */
export type RenderTemplate = (text: string, path: string, position: SourcePosition) => string;

export type ReadWitness = Pick<Witness, 'read' | 'listed'>;

export interface SyncReading {
  readonly render: RenderTemplate;
  readonly witness?: ReadWitness | undefined;
}

/** Something to be copied into the image. `path` is relative to the step's source, empty for the source itself. */
export type SyncEntry = { readonly path: string } & (
  | ({ readonly type: 'file'; readonly executable: boolean } & MeasuredContent)
  | { readonly type: 'directory' }
  | { readonly type: 'symlink'; readonly target: string }
);

/**
 * Reads what a `sync` step copies: a file, or a directory's content in the order of its names, the directory itself
 * first. Links inside it are kept as links; what is neither file, directory nor link is refused.
 */
export async function readSyncSource(
  step: SyncStep,
  containerDirectory: string,
  { render, witness }: SyncReading,
): Promise<readonly SyncEntry[]> {
  witness?.read(step.source);
  const root = await containedSource(step, containerDirectory);
  const excluded = step.exclude.map((pattern) => excludeGlob(pattern)!);
  const context: ReadContext = {
    step,
    root,
    render,
    witness,
    isExcluded: (path) => excluded.some((fits) => fits(path)),
  };
  const stat = await lstat(root);
  if (!stat.isDirectory()) return [await readEntry(context, '', stat)];
  const entries: SyncEntry[] = [{ path: '', type: 'directory' }];
  await readDirectory(context, '', entries);
  return entries;
}

interface ReadContext {
  readonly step: SyncStep;
  readonly root: string;
  readonly render: RenderTemplate;
  readonly witness: ReadWitness | undefined;
  isExcluded(path: string): boolean;
}

/** The real path of the source, which may be reached through links as long as it lies in the container's directory. */
async function containedSource({ source, position }: SyncStep, containerDirectory: string): Promise<string> {
  const shown = printable(relative(containerDirectory, source) || '.');
  let real: string;
  try {
    real = await realpath(source);
  } catch (error) {
    throw new BuilditError('file-missing', `Cannot sync "${shown}": there is no such file or directory`, {
      position,
      cause: error,
    });
  }
  const inside = relative(await realpath(containerDirectory), real);
  if (inside === '..' || inside.startsWith(`..${sep}`)) {
    throw new BuilditError(
      'definition-invalid',
      `Cannot sync "${shown}": expected a path inside the directory of container.yaml, found a link that leaves it`,
      { position },
    );
  }
  return real;
}

async function readDirectory(context: ReadContext, path: string, entries: SyncEntry[]): Promise<void> {
  context.witness?.listed(join(context.root, path));
  const names = await readdir(join(context.root, path), { encoding: 'buffer' });
  for (const bytes of names.sort(Buffer.compare)) {
    const name = bytes.toString('utf8');
    const child = path === '' ? name : `${path}/${name}`;
    if (!Buffer.from(name).equals(bytes) || !isCleanRelativePath(child)) {
      throw refused(context, child, 'a name that is valid UTF-8', `"${printable(bytes.toString('latin1'))}"`);
    }
    if (context.isExcluded(child)) continue;
    const stat = await lstat(join(context.root, child));
    if (!stat.isDirectory()) entries.push(await readEntry(context, child, stat));
    else if (context.step.recursive) {
      entries.push({ path: child, type: 'directory' });
      await readDirectory(context, child, entries);
    }
  }
}

async function readEntry(context: ReadContext, path: string, stat: Stats): Promise<SyncEntry> {
  const absolute = join(context.root, path);
  if (stat.isFile()) {
    context.witness?.read(absolute);
    const measured = context.step.template
      ? await renderedContent(context, absolute, path)
      : await measureFile(absolute);
    return { path, type: 'file', executable: (stat.mode & 0o100) !== 0, ...measured };
  }
  if (stat.isSymbolicLink()) return { path, type: 'symlink', target: await containedTarget(context, path, absolute) };
  throw refused(context, path, 'files, directories and links', 'a device, socket or pipe');
}

/** Absolute targets are paths of the image; relative ones that leave the source would mean something else there. */
async function containedTarget(context: ReadContext, path: string, absolute: string): Promise<string> {
  const target = (await readlink(absolute, { encoding: 'buffer' })).toString('utf8');
  let depth = path.split('/').length - 1;
  for (const element of target.startsWith('/') ? [] : target.split('/')) {
    if (element === '..') depth -= 1;
    else if (element !== '' && element !== '.') depth += 1;
    if (depth < 0) {
      throw refused(context, path, 'a link to something inside the source', `a link to "${printable(target)}"`);
    }
  }
  return target;
}

async function renderedContent(
  { step, render }: ReadContext,
  absolute: string,
  path: string,
): Promise<MeasuredContent> {
  const bytes = await withFile(absolute, (file) => file.readFile());
  const text = bytes.toString('utf8');
  if (!Buffer.from(text).equals(bytes)) {
    throw new BuilditError(
      'input-invalid',
      `Cannot render "${printable(path || absolute)}": expected UTF-8 text, found other bytes`,
      {
        position: step.position,
        hint: 'leave "template" away, or exclude the file',
      },
    );
  }
  return bytesContent(Buffer.from(render(text, path || absolute, step.position)));
}

export function bytesContent(bytes: Uint8Array): MeasuredContent {
  return { size: bytes.length, sha256: sha256(bytes), content: { kind: 'bytes', bytes } };
}

async function measureFile(path: string): Promise<MeasuredContent> {
  return withFile(path, async (file) => {
    const hash = createHash('sha256');
    const buffer = Buffer.allocUnsafe(256 * 1024);
    let size = 0;
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) return { size, sha256: hash.digest('hex'), content: { kind: 'path', path } };
      hash.update(buffer.subarray(0, bytesRead));
      size += bytesRead;
    }
  });
}

async function withFile<Result>(path: string, read: (file: FileHandle) => Promise<Result>): Promise<Result> {
  const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  try {
    return await read(file);
  } finally {
    await file.close();
  }
}

function refused({ step, root }: ReadContext, path: string, expected: string, found: string): BuilditError {
  const shown = printable(path === '' ? root : path);
  return new BuilditError('input-invalid', `Cannot sync "${shown}": expected ${expected}, found ${found}`, {
    position: step.position,
    hint: '"exclude" leaves it out',
  });
}
