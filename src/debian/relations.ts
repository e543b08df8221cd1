import { isDebianPackageName, isDebianVersion, printable } from '../model/names.ts';
import { compareDebianVersions } from '../model/version-order.ts';

export type VersionOperator = '<<' | '<=' | '=' | '>=' | '>>';

/** One alternative of a relation: `libc6:any (>= 2.36)`. Debian policy 7.1. */
export interface Relation {
  readonly name: string;
  /** What follows the colon: `any`, `native` or an architecture. */
  readonly qualifier: string | undefined;
  readonly version: { readonly operator: VersionOperator; readonly operand: string } | undefined;
}

/** Any one of these will do. */
export type RelationGroup = readonly Relation[];

/** Blanks around names, versions and separators do not count. Sticky: one alternative at a time. */
const ALTERNATIVE =
  /[ \t\n]*([a-z0-9][a-z0-9+.-]+)(?::([a-z0-9][a-z0-9-]*))?[ \t\n]*(?:\([ \t\n]*(<<|<=|=|>=|>>|<|>)[ \t\n]*([^() \t\n]+)[ \t\n]*\)[ \t\n]*)?([|,]|$)/y;

/** Reads a list of relations: groups after commas, alternatives after bars. Throws `SyntaxError` on anything else. */
export function parseRelations(text: string): readonly RelationGroup[] {
  const groups: RelationGroup[] = [];
  let group: Relation[] = [];
  eachAlternative(text, (relation, endsGroup) => {
    group.push(relation);
    if (!endsGroup) return;
    groups.push(group);
    group = [];
  });
  return groups;
}

/** Tells what is wrong with a list of relations; undefined where nothing is. */
export function relationsFault(text: string): string | undefined {
  try {
    eachAlternative(text, () => {});
    return undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return error.message;
    throw error;
  }
}

function eachAlternative(text: string, visit: (relation: Relation, endsGroup: boolean) => void): void {
  // A comma at the end of a list is common in hand-written fields and means nothing.
  const list = text.replace(/,\s*$/, '');
  if (list.trim() === '') return;
  ALTERNATIVE.lastIndex = 0;
  for (;;) {
    const start = ALTERNATIVE.lastIndex;
    const match = ALTERNATIVE.exec(list);
    if (match === null) throw new SyntaxError(`a relation, found ${shown(list.slice(start))}`);
    const [, name, qualifier, operator, operand, separator] = match;
    if (!isDebianPackageName(name!)) throw new SyntaxError(`a package name, found ${shown(name!)}`);
    if (operand !== undefined && !isDebianVersion(operand)) throw new SyntaxError(`a version, found ${shown(operand)}`);
    const version = operator === undefined ? undefined : { operator: operatorOf(operator), operand: operand! };
    visit({ name: name!, qualifier, version }, separator !== '|');
    if (separator === '') return;
    if (ALTERNATIVE.lastIndex === list.length) throw new SyntaxError('a relation, found the end of the list');
  }
}

/** `<` and `>` are old spellings of `<=` and `>=` (Debian policy 7.1, footnote). */
function operatorOf(text: string): VersionOperator {
  if (text === '<') return '<=';
  if (text === '>') return '>=';
  return text as VersionOperator;
}

export function versionMeets(version: string, { operator, operand }: NonNullable<Relation['version']>): boolean {
  const order = compareDebianVersions(version, operand);
  switch (operator) {
    case '<<':
      return order < 0;
    case '<=':
      return order <= 0;
    case '=':
      return order === 0;
    case '>=':
      return order >= 0;
    case '>>':
      return order > 0;
  }
}

export function relationText({ name, qualifier, version }: Relation): string {
  const colon = qualifier === undefined ? '' : `:${qualifier}`;
  return `${name}${colon}${version === undefined ? '' : ` (${version.operator} ${version.operand})`}`;
}

export function groupText(group: RelationGroup): string {
  return group.map(relationText).join(' | ');
}

function shown(text: string): string {
  return `"${printable(text.slice(0, 60))}"`;
}
