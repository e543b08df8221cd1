import { printable } from '../model/names.ts';

/** Bounds of what a package can hold. */
export interface OutputLimits {
  /** Of the sizes of all files, as they read: a sparse file takes less on disk. */
  readonly maxBytes: number;
  readonly maxEntries: number;
  /** Elements of a path. */
  readonly maxDepth: number;
}

/** Arguments of GNU find that print what a survey reads, no deeper than needed to say that it is too deep. */
export function surveyArguments({ maxDepth }: OutputLimits): string[] {
  return ['-mindepth', '1', '-maxdepth', String(maxDepth + 1), '-printf', '%y %d %s %n %i %P\\0'];
}

const SHOWN_PATHS = 5;

/** Looks at the names and sizes of an output, without reading any of its files, and says why it cannot be a package. */
export interface OutputSurvey {
  /** Takes what find prints. Answers true when no more is needed. */
  add(text: string): boolean;
  /** One clause, or undefined where nothing is wrong. */
  fault(): string | undefined;
}

export function createOutputSurvey({ maxBytes, maxEntries, maxDepth }: OutputLimits): OutputSurvey {
  const odd: string[] = [];
  const linked = new Set<string>();
  let rest = '';
  let entries = 0;
  let bytes = 0;
  let largest = { size: -1, path: '' };
  let found: string | undefined;
  const look = (line: string): void => {
    const [type = '', depth, size, links, inode] = line.split(' ', 5);
    const path = line.slice(`${type} ${depth} ${size} ${links} ${inode} `.length);
    entries += 1;
    if (entries > maxEntries) found = `the output holds more than ${maxEntries} files and directories`;
    if (Number(depth) > maxDepth) {
      found = `the output is deeper than ${maxDepth} directories: ${shown(path)}`;
    }
    if (!'dfl'.includes(type)) odd.push(path);
    if (type !== 'f' || (links !== '1' && linked.has(inode!))) return;
    if (links !== '1') linked.add(inode!);
    bytes += Number(size);
    if (Number(size) > largest.size) largest = { size: Number(size), path };
    if (bytes <= maxBytes) return;
    found = `the files of the output have ${mebibytes(bytes)}, more than ${mebibytes(maxBytes)}: ${shown(largest.path)} has ${mebibytes(largest.size)}`;
  };
  return {
    add(text) {
      const lines = (rest + text).split('\0');
      rest = lines.pop()!;
      for (const line of lines) if (found === undefined) look(line);
      return found !== undefined;
    },
    fault() {
      if (found !== undefined || odd.length === 0) return found;
      const more = odd.length > SHOWN_PATHS ? ` and ${odd.length - SHOWN_PATHS} more` : '';
      const paths = odd.slice(0, SHOWN_PATHS).map(shown).join(', ');
      return `the output holds sockets, named pipes or devices: ${paths}${more}`;
    },
  };
}

/** A name may be as long as a path can be. */
function shown(path: string): string {
  return `/${printable(path.length > 100 ? `${path.slice(0, 100)}…` : path)}`;
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 2 ** 20)} MiB`;
}
