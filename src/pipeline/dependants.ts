import { readContainerLock } from '../lock/lock-file.ts';
import { append } from '../model/append.ts';
import type { Definitions } from '../model/container.ts';
import type { WrittenPackage } from './container-steps.ts';

const KINDS = ['build', 'link', 'run'] as const;
const MOST_NAMED = 5;

/** Says what else needs a package whose step is removed: recipes, the base, and Debian packages of the lock. */
export async function dependantsOf(
  { names, shown }: WrittenPackage,
  { packages, requested, container }: Definitions,
  directory: string,
): Promise<readonly string[]> {
  const notes = packages.flatMap(({ name, dependencies }) => {
    const kinds = KINDS.filter((kind) =>
      dependencies[kind].some((atom) => names.includes(`${atom.category}/${atom.name}`)),
    );
    return kinds.length === 0 ? [] : [`${name} still needs ${shown}${reasonOf(kinds)}`];
  });
  const base = container.base;
  if (base !== false && requested[0] !== undefined && names.includes(requested[0])) {
    notes.push(`${shown} is still there: every image begins with it, unless \`- base: none\` says otherwise`);
  }
  const debian = names.find((name) => name.startsWith('debian/'))?.slice('debian/'.length);
  if (debian !== undefined) append(notes, await debianDependants(debian, shown, directory));
  return notes;
}

function reasonOf(kinds: readonly (typeof KINDS)[number][]): string {
  return kinds.every((kind) => kind === 'build')
    ? ' to be built, so it goes from the image alone'
    : ` (${kinds.join(', ')})`;
}

/** As buildit.lock knows them; what only the removed package brought along is not in it after the next build. */
async function debianDependants(name: string, shown: string, directory: string): Promise<readonly string[]> {
  const lock = await readContainerLock(directory);
  const needing = Object.values(lock?.debian ?? {})
    .filter((pin) => pin.name !== name && pin.depends.includes(name))
    .map((pin) => `debian/${pin.name}`)
    .sort();
  if (needing.length === 0) return [];
  const more = needing.length - MOST_NAMED;
  const named = needing.slice(0, MOST_NAMED).join(', ') + (more > 0 ? ` and ${more} more` : '');
  return [`${shown} stays in the image as long as ${named} ${needing.length === 1 ? 'is' : 'are'} in it`];
}
