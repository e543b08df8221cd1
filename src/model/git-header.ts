import { readGitNames, readQuoted } from './patch-path.ts';
import { type PatchPlace, patchRefusal, shownName } from './patch-refusal.ts';

/** What git says above a file's hunks. */
export interface GitHeader {
  /** Both names with their prefixes, where they can be told apart. */
  readonly names: readonly [string, string] | undefined;
  /** What follows `diff --git `. */
  readonly text: string;
  readonly values: ReadonlyMap<string, string>;
}

export const NO_GIT_HEADER: GitHeader = { names: undefined, text: '', values: new Map() };

const KEYS = [
  ...['old mode', 'new mode', 'new file mode', 'deleted file mode', 'rename from', 'rename to', 'copy from', 'copy to'],
  ...['index', 'similarity index', 'dissimilarity index'],
];

/** One line below `diff --git`, as key and value; undefined where the header is at its end. */
export function extendedLine(line: string): readonly [string, string] | undefined {
  const key = KEYS.find((known) => line.startsWith(known) && line[known.length] === ' ');
  return key === undefined ? undefined : [key, line.slice(key.length + 1)];
}

export function gitHeader(text: string, strip: number, values: ReadonlyMap<string, string>): GitHeader {
  return { names: readGitNames(text, strip), text, values };
}

/** What a header changes by itself, without any hunk. */
export function changesSomething({ values }: GitHeader): boolean {
  return [...values.keys()].some((key) => key.endsWith(' mode') || key.startsWith('rename') || key.startsWith('copy'));
}

export function moveOf({ values }: GitHeader): 'rename' | 'copy' | undefined {
  if (values.has('rename from')) return 'rename';
  return values.has('copy from') ? 'copy' : undefined;
}

/**
 * The names behind `rename` and `copy`. They lack the prefix that the line `diff --git` has, mostly `a/`, so that fewer
 * elements are stripped of them; `prefix` counts its elements.
 */
export function movedNames(place: PatchPlace, header: GitHeader, kind: 'rename' | 'copy') {
  const [from, to] = [header.values.get(`${kind} from`), header.values.get(`${kind} to`)];
  if (from === undefined || to === undefined) throw patchRefusal(place, `a ${kind} without both names`);
  const prefix = header.text === `${from} ${to}` ? 0 : 1;
  return { from: unquoted(from), to: unquoted(to), prefix };
}

function unquoted(name: string): string {
  return name.startsWith('"') ? (readQuoted(name)?.name ?? '') : name;
}

/** What the modes say: whether the file is a symbolic link, and whether it becomes executable. */
export function modesOf(place: PatchPlace, { values }: GitHeader) {
  const changed = ['old mode', 'new mode', 'deleted file mode', 'new file mode'].map((key) => values.get(key));
  const modes = changed.filter((mode) => mode !== undefined);
  const kept = / (1[26]0000)$/.exec(values.get('index')?.slice(-7) ?? '')?.[1];
  const odd = [...modes, ...(kept === undefined ? [] : [kept])].find(
    (mode) => !/^(?:100(?:644|755)|120000)$/.test(mode),
  );
  if (odd === '160000') throw patchRefusal(place, 'a submodule (mode 160000)', SUBMODULE_HINT);
  if (odd !== undefined) throw patchRefusal(place, `a file of mode ${shownName(odd)}`, MODE_HINT);
  const isLink = modes.includes('120000') || kept === '120000';
  if (isLink && modes.some((mode) => mode !== '120000')) {
    throw patchRefusal(place, 'a symbolic link that becomes a file in one step', TYPE_HINT);
  }
  const mode = values.get('new mode') ?? values.get('new file mode');
  return { isLink, executable: isLink || mode === undefined ? undefined : mode === '100755' };
}

const SUBMODULE_HINT = 'list the content of the submodule in `source` of pkg.yaml, with `directory` for its place';
const MODE_HINT = 'remove this part of the patch, and change the mode with `chmod` in the phase `prepare`';
const TYPE_HINT = 'git writes it in two parts, a deletion and a new file: make the patch with `git diff`';
