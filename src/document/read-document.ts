import { join, relative } from 'node:path';
import { BuilditError, type ErrorCode } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { Witness } from '../system/witness.ts';
import { YAML_LIMITS } from './compose-yaml.ts';
import { parseYaml } from './parse-yaml.ts';
import { readText } from './read-text.ts';
import { resolveInside } from './resolve-inside.ts';
import type { YamlNode } from './yaml-node.ts';

/**
 * Reads `directory/path` as YAML. The file, links resolved, lies inside `boundary`: a link that leads out of it is
 * refused, because an excerpt in a message would show another file's lines.
 */
export async function readDocument(
  directory: string,
  path: string,
  { boundary = directory, code, witness }: ReadDocumentOptions,
): Promise<YamlNode> {
  const name = shownPath(join(directory, path));
  const position = { file: name, line: 1, column: 1 };
  const found = await resolveInside(boundary, relative(boundary, join(directory, path)));
  switch (found.kind) {
    case 'missing':
      witness?.missing(found.path);
      throw new BuilditError('file-missing', `Cannot read "${printable(name)}": expected a file, found none`);
    case 'outside': {
      const message = `Cannot read "${printable(name)}": expected a file inside its directory, found a link that leaves it`;
      throw new BuilditError(code, message, { position });
    }
    case 'other': {
      const message = `Cannot read "${printable(name)}": expected a regular file, found a device, a pipe or a socket`;
      throw new BuilditError(code, message, { position });
    }
    default: {
      witness?.read(join(directory, path));
      return parseYaml(await readText(found.path, { name, maximumBytes: YAML_LIMITS.bytes, code, witness }), code);
    }
  }
}

export interface ReadDocumentOptions {
  readonly boundary?: string;
  readonly code: ErrorCode;
  readonly witness?: Witness | undefined;
}

/** How messages call a file: from the working directory where it lies below that, else in full. */
export function shownPath(path: string): string {
  const shown = relative(process.cwd(), path);
  return shown === '' || shown.startsWith('..') ? path : shown;
}
