import { join } from 'node:path';
import { listDirectory } from '../document/list-directory.ts';
import type { YamlNode } from '../document/yaml-node.ts';
import { append } from '../model/append.ts';
import { isCleanRelativePath, printable } from '../model/names.ts';
import type { RecipeFile } from '../model/package.ts';
import { hashFile } from './hash-file.ts';
import { locateFile } from './locate-file.ts';
import type { RecipeReading } from './recipe-reading.ts';

const MAXIMUM_FILES = 10_000;

/** All files below `files/` of a recipe, sorted by path. Links may point inside the recipe; anything else is refused. */
export async function readRecipeFiles(reading: RecipeReading): Promise<readonly RecipeFile[]> {
  const files: RecipeFile[] = [];
  const waiting = ['files'];
  for (let directory = waiting.pop(); directory !== undefined; directory = waiting.pop()) {
    const entries = await listDirectory(join(reading.directory, directory), reading.witness);
    if (entries === undefined) {
      reading.problems.add(
        reading.root,
        `Cannot read "${directory}": expected a readable directory, found something else`,
      );
      return [];
    }
    for (const entry of entries) {
      const path = `${directory}/${entry.name}`;
      if (files.length >= MAXIMUM_FILES) {
        reading.problems.add(reading.root, `Cannot read "files": expected at most ${MAXIMUM_FILES} files, found more`);
        return [];
      }
      if (entry.isDirectory()) waiting.push(path);
      else append(files, await readRecipeFile(reading, path, reading.root));
    }
  }
  return files.sort((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
}

async function readRecipeFile({ directory, problems, witness }: RecipeReading, path: string, node: YamlNode) {
  if (!isCleanRelativePath(path) || path.includes('\ufffd') || printable(path) !== path) {
    problems.add(node, `Cannot use "${path}": expected a file name in plain UTF-8, found another`);
    return [];
  }
  const found = await locateFile(directory, path, { node, label: 'files', wanted: 'file', problems, witness });
  if (found === undefined) return [];
  const hashed = await hashFile(found.path, path, witness).catch((error) => problems.addError(node, error));
  if (hashed === undefined) return [];
  const { sha256, executable } = hashed;
  return [{ path: path.slice('files/'.length), absolutePath: found.path, sha256, executable }];
}
