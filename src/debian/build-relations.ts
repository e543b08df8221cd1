import { parseRelations, type RelationGroup } from './relations.ts';

/**
 * Reads a list of build relations (Debian policy 7.1): groups after commas, alternatives after bars, each perhaps
 * restricted to architectures (`[amd64 !i386]`, wildcards included) and to build profiles (`<!nocheck>`). What does not
 * apply to the architecture without any profile is left out, a group without anything left with it. Throws `SyntaxError`.
 */
export function parseBuildRelations(text: string, architecture: string): readonly RelationGroup[] {
  const groups: RelationGroup[] = [];
  for (const part of text.replace(/,\s*$/, '').split(',')) {
    if (part.trim() === '') continue;
    const group = part.split('|').flatMap((alternative) => appliedRelation(alternative, architecture));
    if (group.length > 0) groups.push(group);
  }
  return groups;
}

/** A relation, its architectures, its profiles. */
const ALTERNATIVE = /^([^[\]<]*(?:\([^()]*\))?)\s*(?:\[([^[\]]*)\])?\s*((?:<[^<>]*>\s*)*)$/;

function appliedRelation(text: string, architecture: string): RelationGroup {
  const match = ALTERNATIVE.exec(text.trim());
  if (match === null) throw new SyntaxError(`a build relation, found "${text.trim().slice(0, 60)}"`);
  const [, relation, architectures, profiles] = match;
  if (architectures !== undefined && !restrictedTo(architectures, architecture)) return [];
  if (profiles !== undefined && profiles.trim() !== '' && !appliesWithoutProfiles(profiles)) return [];
  return parseRelations(relation!.trim()).flat();
}

/** Either all are negated or none is (policy 7.1). */
function restrictedTo(list: string, architecture: string): boolean {
  const names = list.trim().split(/\s+/);
  const isNegated = names.every((name) => name.startsWith('!'));
  const named = names.some((name) => matchesArchitecture(name.replace(/^!/, ''), architecture));
  return isNegated ? !named : named;
}

/** Wildcards as dpkg-architecture(1) has them, for architectures of Linux: `any`, `linux-any`, `any-amd64`. */
function matchesArchitecture(pattern: string, architecture: string): boolean {
  return [architecture, 'any', 'linux-any', `any-${architecture}`, `linux-${architecture}`].includes(pattern);
}

/** A restriction formula: any of the lists in `<>`, all the profiles in one of them. Without profiles all must be negated. */
function appliesWithoutProfiles(text: string): boolean {
  return [...text.matchAll(/<([^<>]*)>/g)].some(([, list]) =>
    list!
      .trim()
      .split(/\s+/)
      .every((profile) => profile.startsWith('!')),
  );
}
