import { compareDebianVersions } from '../model/version-order.ts';
import type { AvailablePackage } from './indexed-package.ts';
import { parseRelations, type Relation, type RelationGroup, versionMeets } from './relations.ts';

/** All packages that can be chosen, by name and by what they provide. */
export interface PackageUniverse {
  readonly architecture: string;
  /** The versions of a name, newest first; of equal versions only that of the preferred suite is there. */
  versions(name: string): readonly AvailablePackage[];
  /** Packages that provide a name, newest versions only, the preferred provider first. */
  providers(name: string): readonly AvailablePackage[];
  essentials(): readonly AvailablePackage[];
  names(): Iterable<string>;
}

export function createUniverse(packages: readonly AvailablePackage[], architecture: string): PackageUniverse {
  const byName = new Map<string, AvailablePackage[]>();
  for (const entry of packages) {
    const versions = byName.get(entry.name);
    if (versions === undefined) byName.set(entry.name, [entry]);
    else if (!versions.some(({ version }) => compareDebianVersions(version, entry.version) === 0)) versions.push(entry);
  }
  for (const versions of byName.values()) {
    if (versions.length > 1) versions.sort((a, b) => compareDebianVersions(b.version, a.version));
  }
  let providers: ReadonlyMap<string, readonly AvailablePackage[]> | undefined;
  return {
    architecture,
    versions: (name) => byName.get(name) ?? [],
    providers: (name) => {
      providers ??= collectProviders(byName.values());
      return providers.get(name) ?? [];
    },
    essentials: () =>
      [...byName.values()]
        .map(([newest]) => newest!)
        .filter(({ essential }) => essential)
        .sort(byNames),
    names: () => byName.keys(),
  };
}

function collectProviders(
  entries: Iterable<readonly AvailablePackage[]>,
): ReadonlyMap<string, readonly AvailablePackage[]> {
  const providers = new Map<string, AvailablePackage[]>();
  for (const [newest] of entries) {
    for (const { name } of provisions(newest!)) {
      const list = providers.get(name);
      if (list === undefined) providers.set(name, [newest!]);
      else if (!list.includes(newest!)) list.push(newest!);
    }
  }
  for (const list of providers.values()) list.sort(byPreference);
  return providers;
}

/** As apt prefers providers that nothing else sets apart: essential, important, priority, then a fixed order by name. */
function byPreference(a: AvailablePackage, b: AvailablePackage): number {
  return (
    Number(b.essential) - Number(a.essential) ||
    Number(b.important) - Number(a.important) ||
    a.priority - b.priority ||
    byNames(a, b)
  );
}

function byNames(a: AvailablePackage, b: AvailablePackage): number {
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

/** What a package needs: Pre-Depends first, then Depends, in the order written. */
export function needs(entry: AvailablePackage): readonly RelationGroup[] {
  return [...parseRelations(entry.preDepends), ...parseRelations(entry.depends)];
}

/** What a package must not be together with. */
export function exclusions(entry: AvailablePackage): readonly Relation[] {
  return parseRelations(entry.excludes).flat();
}

/** Names a package provides, with a version where it says one. */
export function provisions(entry: AvailablePackage): readonly Relation[] {
  return entry.provides === '' ? [] : parseRelations(entry.provides).flat();
}

/** Tells whether a package, by its own name or by what it provides, is what a relation means (Debian policy 7.1, 7.5). */
export function satisfies(entry: AvailablePackage, relation: Relation, architecture: string): boolean {
  if (!qualifierFits(entry, relation.qualifier, architecture)) return false;
  const { name, version } = relation;
  if (entry.name === name && (version === undefined || versionMeets(entry.version, version))) return true;
  if (!entry.provides.includes(name)) return false;
  return provisions(entry).some(
    (provision) =>
      provision.name === name &&
      (version === undefined || (provision.version !== undefined && versionMeets(provision.version.operand, version))),
  );
}

/** `foo:any` needs a package that says `Multi-Arch: allowed`; another architecture is never there. */
function qualifierFits(entry: AvailablePackage, qualifier: string | undefined, architecture: string): boolean {
  if (qualifier === undefined || qualifier === 'native' || qualifier === architecture) return true;
  return qualifier === 'any' && entry.multiArch === 'allowed';
}
