/**
 * Names by which programs take a directory for a repository, whose settings they then obey: git, Mercurial and others run
 * commands that such settings name as soon as somebody enters the directory.
 */

/** Code points that HFS+ leaves out of names when it compares them (git's utf8.c, next_hfs_char). */
const IGNORED = /[\u200c-\u200f\u202a-\u202e\u206a-\u206f\ufeff]/g;

const RESERVED = /^(?:\.(?:git|hg|svn|bzr|jj|pijul)|_darcs|(?:git|hg|svn|bzr|jj)~[1-9])$/;

/** An element of a path as file systems compare it that know no case, no ignorable code points and no dots at the end. */
function comparedName(element: string): string {
  const name = element.replace(IGNORED, '').normalize('NFKC').toLowerCase().split(':', 1)[0]!;
  let end = name.length;
  while (end > 0 && (name[end - 1] === '.' || name[end - 1] === ' ')) end -= 1;
  return name.slice(0, end);
}

/** Whether an element of a path is `.git`, `.hg` and the like in any spelling: `.GIT`, `.git.`, `git~1`, `.git::$INDEX`. */
export function isRepositoryElement(element: string): boolean {
  return element.split('\\').some((part) => RESERVED.test(comparedName(part)));
}

/**
 * Watches paths of a tree come by, one after another, and gives for each whether a repository would be there now, and why:
 * a reserved element, git's `commondir`, or `HEAD`, `objects` and `refs` side by side, which are a bare repository
 * whatever its name is (gitrepository-layout(5); git's setup.c, is_git_directory).
 */
export function repositoryFinder(): (path: string) => string | undefined {
  const parts = new Map<string, Set<string>>();
  return (path) => {
    const elements = path.split('/');
    if (elements.some(isRepositoryElement)) return 'a hidden repository';
    let bare: string | undefined;
    for (const [index, element] of elements.entries()) {
      const name = comparedName(element);
      if (name === 'commondir') return 'a part of a git repository';
      if (!['head', 'objects', 'refs'].includes(name)) continue;
      const directory = elements.slice(0, index).map(comparedName).join('/');
      const names = parts.get(directory) ?? new Set();
      parts.set(directory, names.add(name));
      if (names.size === 3) bare = 'a git repository of HEAD, objects and refs';
    }
    return bare;
  };
}
