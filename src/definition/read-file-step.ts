import { booleanAt, scalarAt, scalarsAt } from '../document/fields.ts';
import { listDirectory } from '../document/list-directory.ts';
import { memberOf, positionOf, type YamlMap, type YamlScalar } from '../document/yaml-node.ts';
import type { FileStep } from '../model/container.ts';
import { excludeGlob } from '../model/exclude-glob.ts';
import { acceptImagePath, acceptInsidePath, acceptMode, acceptOwner, acceptText, type Text } from './checked-text.ts';
import { type ContainerReading, renderedText } from './container-reading.ts';
import { locateFile } from './locate-file.ts';
import { readUser } from './read-user.ts';

/** The steps that put files into an image, by their key in container.yaml. */
export const FILE_STEPS = ['sync', 'file', 'directory', 'link', 'user'] as const;
export type FileStepKind = (typeof FILE_STEPS)[number];

/** Reads one step that puts something into the image; undefined when it is wrong, which was complained about. */
export async function readFileStep(
  kind: FileStepKind,
  map: YamlMap,
  reading: ContainerReading,
): Promise<FileStep | undefined> {
  const fields = createFields(kind, map, reading);
  switch (kind) {
    case 'sync':
      return await readSync(fields);
    case 'file':
      return readFile(fields);
    case 'directory':
      return readDirectory(fields);
    case 'link':
      return readLink(fields);
    case 'user': {
      const user = readUser(map, 'user', reading.problems, (node) => renderedText(reading, node));
      return user && { kind, ...user, position: positionOf(map) };
    }
  }
}

interface StepFields {
  readonly map: YamlMap;
  readonly reading: ContainerReading;
  check(key: string): { readonly label: string; readonly problems: ContainerReading['problems'] };
  node(key: string): YamlScalar | undefined;
  text(key: string): Text | undefined;
}

function createFields(kind: string, map: YamlMap, reading: ContainerReading): StepFields {
  return {
    map,
    reading,
    check: (key) => ({ label: `${kind}.${key}`, problems: reading.problems }),
    node: (key) => scalarAt(map, key),
    text: (key) => renderedText(reading, scalarAt(map, key)),
  };
}

async function readSync(fields: StepFields): Promise<FileStep | undefined> {
  const { map, reading, check, node, text } = fields;
  const { problems, witness, directory } = reading;
  const written = text('src');
  const source = acceptInsidePath(written, check('src'));
  const writtenDest = text('dest');
  const dest = acceptImagePath(writtenDest, check('dest'), { root: true });
  const mode = acceptMode(node('chmod'), check('chmod'));
  const directoryMode = acceptMode(node('dirmode'), check('dirmode'), { sticky: true }) ?? 0o755;
  const owner = acceptOwner(text('chown'), check('chown'));
  const exclude = readExclude(fields);
  if (source === undefined || written === undefined || dest === undefined) return undefined;
  const where = { node: written.node, label: 'sync.src', wanted: 'either', problems, witness } as const;
  const found = await locateFile(directory, source, where);
  if (found === undefined) return undefined;
  const isFile = found.kind === 'file';
  if (!isFile) await checkRecursive(fields, found.path);
  const target = isFile && writtenDest!.text.endsWith('/') ? joinImagePath(dest, source.split('/').at(-1)!) : dest;
  return {
    kind: 'sync',
    source: found.path,
    dest: target,
    recursive: booleanAt(map, 'recursive') ?? false,
    mode,
    directoryMode,
    owner,
    exclude,
    template: booleanAt(map, 'template') ?? false,
    position: positionOf(map),
  };
}

/** A directory of directories without a word about `recursive` would lose files that somebody expects. */
async function checkRecursive({ map, reading }: StepFields, path: string): Promise<void> {
  if (memberOf(map, 'recursive') !== undefined) return;
  const entries = await listDirectory(path, reading.witness);
  const inner = entries?.find((entry) => entry.isDirectory());
  if (inner === undefined) return;
  reading.problems.add(
    map,
    `Cannot sync a directory with the directory "${inner.name}" in it: expected "recursive", found none`,
    {
      hint: 'recursive: true takes all of it, recursive: false only the files directly in it',
    },
  );
}

function readExclude({ map, reading, check }: StepFields): readonly string[] {
  return scalarsAt(map, 'exclude').flatMap((node) => {
    const text = renderedText(reading, node);
    const isPattern = (pattern: string) =>
      pattern.length <= 500 && !pattern.split('/').includes('..') && excludeGlob(pattern) !== undefined;
    return acceptText(text, 'a glob pattern relative to the source', isPattern, check('exclude')) ?? [];
  });
}

function joinImagePath(directory: string, name: string): string {
  return directory === '/' ? `/${name}` : `${directory}/${name}`;
}

function readFile({ map, check, node, text }: StepFields): FileStep | undefined {
  const dest = acceptImagePath(text('dest'), check('dest'));
  const content = text('content')?.text;
  const mode = acceptMode(node('chmod'), check('chmod')) ?? 0o644;
  const owner = acceptOwner(text('chown'), check('chown'));
  if (dest === undefined || content === undefined) return undefined;
  return { kind: 'file', dest, content, mode, owner, position: positionOf(map) };
}

function readDirectory({ map, check, node, text }: StepFields): FileStep | undefined {
  const dest = acceptImagePath(text('dest'), check('dest'), { root: true });
  const mode = acceptMode(node('chmod'), check('chmod'), { sticky: true }) ?? 0o755;
  const owner = acceptOwner(text('chown'), check('chown'));
  if (dest === undefined) return undefined;
  return { kind: 'directory', dest, mode, owner, position: positionOf(map) };
}

function readLink({ map, check, text }: StepFields): FileStep | undefined {
  const dest = acceptImagePath(text('dest'), check('dest'));
  const isTarget = (target: string) => target !== '' && Buffer.byteLength(target) < 4096 && !target.includes('\0');
  const target = acceptText(text('target'), 'where the link points to', isTarget, check('target'));
  if (dest === undefined || target === undefined) return undefined;
  return { kind: 'link', dest, target, position: positionOf(map) };
}
