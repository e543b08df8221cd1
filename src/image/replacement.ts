import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { atomText, type ResolvedPackage } from '../model/package.ts';
import { candidateName, type ImageCandidate } from './image-member.ts';
import { publicLibraries } from './soname-providers.ts';

/** Which packages are replaced by which of these: replaced name to the name of the first that says so. */
export function replacedNames(members: readonly ImageCandidate[]): Map<string, string> {
  const replaced = new Map<string, string>();
  for (const member of members) {
    if (member.kind !== 'build' || member.part !== undefined) continue;
    for (const { category, name } of member.package.replaces) {
      const other = atomText({ category, name });
      if (other !== member.package.name && !replaced.has(other)) replaced.set(other, member.package.name);
    }
  }
  return replaced;
}

/**
 * A replacement must define every soname and symbol version that others could have been linked to. What was built here
 * from a Debian source package was asked for as it is, so that nothing may silently stand in for it.
 */
export function checkReplacement(replaced: ImageCandidate, replacement: ImageCandidate): BuilditError[] {
  if (replaced.kind === 'debian' && replaced.built !== undefined)
    return [twiceAsked(replaced, replaced.built, replacement)];
  const defined = new Map(publicLibraries(replacement).map((elf) => [elf.soname, new Set(elf.defines)]));
  const lacking = publicLibraries(replaced).flatMap((elf) => {
    const versions = defined.get(elf.soname);
    if (versions === undefined) return [elf.soname!];
    return elf.defines.filter((version) => !versions.has(version)).map((version) => `${elf.soname} version ${version}`);
  });
  if (lacking.length === 0) return [];
  return [
    new BuilditError(
      'dependency-unsatisfied',
      `Cannot replace "${candidateName(replaced)}" by "${candidateName(replacement)}": expected every library and symbol version of the replaced package, found ${lacking.length} missing`,
      { details: [...new Set(lacking)].sort().slice(0, 20).map(printable) },
    ),
  ];
}

function twiceAsked(
  replaced: ImageCandidate,
  { package: { name, position } }: { readonly package: ResolvedPackage },
  replacement: ImageCandidate,
): BuilditError {
  const [binary, other] = [candidateName(replaced), candidateName(replacement)];
  return new BuilditError(
    'definition-invalid',
    `Cannot put "${binary}" of "${name}" into the image: expected nothing in its place, found "${other}", which replaces it`,
    { position, hint: `leave out one of "${name}" and "${other}", or build what needs them with the same` },
  );
}
