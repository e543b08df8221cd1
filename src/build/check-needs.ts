import { BuilditError, throwCollected } from '../model/errors.ts';
import type { ElfFacts } from '../model/layer.ts';
import { printable } from '../model/names.ts';
import type { SourcePosition } from '../model/source-position.ts';

/** A package whose libraries others may need; `name` as in a dependency: `dev-libs/openssl`, `debian/libssl3`. */
export interface NeedProvider {
  readonly name: string;
  readonly elf: readonly ElfFacts[];
}

/** What the libraries that a package needs may come from. */
export interface DeclaredNeeds {
  /** Link and run dependencies with their declared closures, and the build root's declared runtime. */
  readonly declared: readonly NeedProvider[];
  /** Everything else in the root: a need met there alone is a mistake in the recipe. */
  readonly undeclared: readonly NeedProvider[];
  /** The link dependencies as the recipe lists them, for the line that mends it. */
  readonly link: readonly string[];
  /** Names of the build dependencies: one that is linked to has to move. */
  readonly build?: readonly string[] | undefined;
  /** Where the package is written. */
  readonly position?: SourcePosition | undefined;
}

/** A library that a package needs at run time, and the package that has it. */
export interface MetNeed {
  readonly soname: string;
  readonly versions: readonly string[];
  readonly provider: string;
}

/**
 * Finds for every library that a package's ELF files need the declared package that has it, symbol versions included.
 * What the package has itself is not listed. Throws 'undeclared-need' for each library found nowhere or only where it was
 * not declared: configure scripts link what happens to be there.
 */
export function checkNeeds(name: string, own: readonly ElfFacts[], needs: DeclaredNeeds): readonly MetNeed[] {
  const ownProvider: NeedProvider = { name, elf: own };
  const met: MetNeed[] = [];
  const unmet: BuilditError[] = [];
  for (const need of collectNeeds(own)) {
    if (meets(ownProvider, need)) continue;
    const provider = needs.declared.findLast((candidate) => meets(candidate, need));
    if (provider === undefined) unmet.push(undeclaredNeed(name, need, needs));
    else met.push({ soname: need.soname, versions: need.versions, provider: provider.name });
  }
  throwCollected(unmet);
  return met;
}

/** What `checkNeeds` says of needs that are met only where they were not declared; nothing of those that are met nowhere. */
export function undeclaredNeeds(name: string, own: readonly ElfFacts[], needs: DeclaredNeeds): readonly BuilditError[] {
  const declared = [{ name, elf: own }, ...needs.declared];
  const isUndeclared = (need: Need) =>
    !declared.some((provider) => meets(provider, need)) && needs.undeclared.some((provider) => meets(provider, need));
  return collectNeeds(own)
    .filter(isUndeclared)
    .map((need) => undeclaredNeed(name, need, needs));
}

/** One library for one machine, with all symbol versions and the files that need them. */
interface Need {
  readonly soname: string;
  readonly machine: string;
  readonly versions: readonly string[];
  readonly files: readonly string[];
}

/** Needs of all files together, sorted by soname. */
function collectNeeds(own: readonly ElfFacts[]): Need[] {
  const needs = new Map<string, { soname: string; machine: string; versions: Set<string>; files: string[] }>();
  for (const { path, machine, needed } of own) {
    for (const { soname, versions } of needed) {
      const key = `${soname}\0${machine}`;
      const need = needs.get(key) ?? { soname, machine, versions: new Set(), files: [] };
      for (const version of versions) need.versions.add(version);
      need.files.push(path);
      needs.set(key, need);
    }
  }
  return [...needs.keys()].sort().map((key) => {
    const need = needs.get(key)!;
    return { ...need, versions: [...need.versions].sort(), files: need.files.sort() };
  });
}

function meets(provider: NeedProvider, need: Need): boolean {
  return lacking(provider, need)?.length === 0;
}

/** Symbol versions that a provider's library lacks, of its best one; undefined where it has no such library. */
function lacking({ elf }: NeedProvider, { soname, machine, versions }: Need): readonly string[] | undefined {
  return elf
    .filter((facts) => facts.machine === machine && namesLibrary(facts, soname))
    .map(({ defines }) => versions.filter((version) => !defines.includes(version)))
    .sort((a, b) => a.length - b.length)[0];
}

/** A library without a soname is found by its file's name. */
function namesLibrary({ path, soname }: ElfFacts, wanted: string): boolean {
  return soname === undefined ? path.slice(path.lastIndexOf('/') + 1) === wanted : soname === wanted;
}

function undeclaredNeed(name: string, need: Need, needs: DeclaredNeeds): BuilditError {
  const [file, ...others] = need.files;
  const more = others.length === 0 ? '' : ` (and ${others.length} more)`;
  const sentence = `Cannot keep "${name}": /${printable(file!)}${more} needs ${printable(need.soname)}`;
  const provider = needs.undeclared.findLast((candidate) => meets(candidate, need));
  if (provider !== undefined) {
    return new BuilditError(
      'undeclared-need',
      `${sentence}, expected it in a declared dependency, found it in ${provider.name}`,
      {
        details: [`dependencies: {link: [${[...needs.link, provider.name].join(', ')}]}`],
        hint:
          needs.build?.includes(provider.name) === true
            ? `move ${provider.name} from dependencies.build to dependencies.link: what is linked to goes where the package goes`
            : 'dependencies.link of pkg.yaml has to say that; or turn off what uses the library',
        position: needs.position,
      },
    );
  }
  return new BuilditError(
    'undeclared-need',
    `${sentence}, expected it in a declared dependency, found ${elsewhere(need, needs)}`,
    {
      hint: 'build it with a declared link dependency that has the library, or turn off what uses it',
      position: needs.position,
    },
  );
}

/** Says why nothing fits: a library of that name without the symbol versions, or none at all. */
function elsewhere(need: Need, { declared, undeclared }: DeclaredNeeds): string {
  for (const provider of [...declared, ...undeclared]) {
    const versions = lacking(provider, need);
    if (versions !== undefined) return `one without ${versions.map(printable).join(', ')} in ${provider.name}`;
  }
  return 'it in no package of the build root';
}
