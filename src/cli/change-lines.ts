import { printable } from '../model/names.ts';
import type { DirectoryChanges, RevisionChanges } from '../pipeline/compare-revisions.ts';
import type { PackageChange } from '../plan/compare-plans.ts';
import { shownPath } from './render-error.ts';
import { textTable } from './text-table.ts';

const MOST_NAMED = 4;

export function hasChanges({ directories }: RevisionChanges): boolean {
  return directories.some(({ packages, image }) => packages.length > 0 || image.length > 0);
}

/** What changes in each directory, and why: packages in build order, then the images. */
export function changeLines({ directories }: RevisionChanges, cwd: string): string[] {
  return directories.flatMap((changes, index) => [
    ...(index === 0 ? [] : ['']),
    ...(directories.length === 1 ? [] : [`${printable(shownPath(changes.directory, cwd))}:`]),
    ...directoryLines(changes),
  ]);
}

function directoryLines(changes: DirectoryChanges): string[] {
  const { kind, title, packages, image } = changes;
  const rows = packages.map((change) => [CHANGES[change.kind], `${change.name}-${change.version}`, whyText(change)]);
  return [
    ...(rows.length === 0 ? [] : textTable([{ title: 'CHANGE' }, { title: 'PACKAGE' }, { title: 'WHY' }], rows)),
    countText(changes),
    ...(kind === 'repository'
      ? []
      : [
          image.length === 0
            ? `the images of ${printable(title)} stay as they are`
            : `the images of ${printable(title)} change: ${named(image)}`,
        ]),
  ];
}

const CHANGES: Readonly<Record<PackageChange['kind'], string>> = {
  added: 'new',
  removed: 'gone',
  own: 'own',
  dependency: 'dependency',
};

function whyText({ kind, inputs, becauseOf }: PackageChange): string {
  if (kind === 'dependency') return `because of ${named(becauseOf)}`;
  if (kind !== 'own') return '';
  return inputs.join(', ') + (becauseOf.length === 0 ? '' : `; and because of ${named(becauseOf)}`);
}

function countText({ packages, unchanged }: DirectoryChanges): string {
  const count = (kind: PackageChange['kind']) => packages.filter((change) => change.kind === kind).length;
  const total = packages.length - count('removed') + unchanged;
  const own = count('own') + count('added');
  return `${own + count('dependency')} of ${total} packages change: ${own} by itself, ${count('dependency')} because of others`;
}

function named(names: readonly string[]): string {
  const shown = names.slice(0, MOST_NAMED).map(printable).join(', ');
  return names.length > MOST_NAMED ? `${shown} and ${names.length - MOST_NAMED} more` : shown;
}
