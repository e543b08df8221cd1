import { closestName } from '../document/closest-name.ts';
import { booleanAt, mapAt, scalarAt, scalarsAt, textAt } from '../document/fields.ts';
import type { Problems } from '../document/problems.ts';
import { memberOf, nodeAt, type YamlMap, type YamlScalar } from '../document/yaml-node.ts';
import type { ResolvedFlag } from '../model/package.ts';
import { foreignOperand, parseRange, rangeAllows } from '../model/version-range.ts';
import type { VersionScheme } from '../model/version-scheme.ts';

/** Flags somebody asked for by name: a mistake in them is an error where they stand. */
export interface AskedFlags {
  readonly with: readonly YamlScalar[];
  readonly without: readonly YamlScalar[];
}

/** What a repository or a configuration turns on or off wherever a recipe has such a flag. */
export interface GeneralFlags {
  readonly with: readonly string[];
  readonly without: readonly string[];
}

export interface FlagChoices {
  /** Weakest first: the repository's, then the configuration's. */
  readonly general: readonly GeneralFlags[];
  /** Weakest first: the container's, then the derivation's. */
  readonly asked: readonly AskedFlags[];
}

export interface ResolvedFlags {
  readonly flags: Readonly<Record<string, ResolvedFlag>>;
  readonly notices: readonly string[];
}

interface Choice {
  readonly enabled: boolean;
  /** Who chose: the recipe's default 0, what is general 1, who asked by name 2. */
  readonly rank: 0 | 1 | 2;
  /** Where it was asked for by name. */
  readonly node: YamlScalar | undefined;
}

export function askedFlagsAt(map: YamlMap | undefined): AskedFlags {
  const use = mapAt(map, 'use');
  return { with: scalarsAt(use, 'with'), without: scalarsAt(use, 'without') };
}

/**
 * Decides each flag of a recipe at a version. What is asked for by name beats what is general, and that beats the
 * recipe's default. A flag whose `requires` do not hold is an error when it was asked for, and off when it was not; of two
 * that conflict, the one that was chosen by less is off, and where both were asked for that is an error.
 */
export function resolveFlags(
  recipe: { readonly name: string; readonly root: YamlMap; readonly scheme: VersionScheme },
  version: string,
  { general, asked }: FlagChoices,
  problems: Problems,
): ResolvedFlags {
  const declared = mapAt(recipe.root, 'flags');
  const names = (declared?.members ?? []).map(({ name }) => name).sort();
  const choices = new Map<string, Choice>();
  for (const name of names) {
    choices.set(name, { enabled: booleanAt(mapAt(declared, name), 'default') ?? false, rank: 0, node: undefined });
  }
  for (const { with: on, without: off } of general) {
    for (const name of off) if (choices.has(name)) choices.set(name, { enabled: false, rank: 1, node: undefined });
    for (const name of on) if (choices.has(name)) choices.set(name, { enabled: true, rank: 1, node: undefined });
  }
  for (const request of asked) applyRequest(recipe.name, request, choices, problems);
  const notices: string[] = [];
  const applies = new Map(
    names.map((name) => [name, appliesAt({ ...recipe, version }, mapAt(declared, name), problems)]),
  );
  const settling = { applies, notices, problems };
  checkNamedFlags(recipe.name, declared, choices, problems);
  // What is off for want of another stands in nobody's way; what gives way may be required by another.
  settleRequirements(recipe.name, declared, choices, settling);
  settleConflicts(recipe.name, declared, choices, settling);
  settleRequirements(recipe.name, declared, choices, settling);
  const flags: Record<string, ResolvedFlag> = {};
  for (const name of names) {
    const { enabled, node } = choices.get(name)!;
    flags[name] = { enabled, applies: applies.get(name)! };
    if (node === undefined || applies.get(name)) continue;
    const when = textAt(mapAt(declared, name), 'when');
    notices.push(`the flag "${name}" of ${recipe.name} has no effect at version ${version} (only at ${when})`);
  }
  return { flags, notices };
}

function applyRequest(
  recipe: string,
  { with: on, without: off }: AskedFlags,
  choices: Map<string, Choice>,
  problems: Problems,
) {
  const turnedOn = new Set(on.map(({ text }) => text));
  for (const node of [...on, ...off]) {
    if (!choices.has(node.text)) {
      problems.add(node, `Cannot use "${node.text}": expected a flag of ${recipe}, found an unknown one`, {
        hint: unknownFlagHint(node.text, [...choices.keys()]),
      });
    }
  }
  for (const node of off) {
    if (turnedOn.has(node.text)) {
      problems.add(node, `Cannot use "${node.text}": expected it in one of "with" and "without", found it in both`);
    }
    if (choices.has(node.text)) choices.set(node.text, { enabled: false, rank: 2, node });
  }
  for (const node of on) if (choices.has(node.text)) choices.set(node.text, { enabled: true, rank: 2, node });
}

function unknownFlagHint(name: string, flags: readonly string[]): string {
  if (flags.length === 0) return 'this recipe has no flags';
  const closest = closestName(name, flags);
  const list = `its flags are ${flags.join(', ')}`;
  return closest === undefined ? list : `did you mean "${closest}"? ${list}`;
}

function appliesAt(
  { version, scheme }: { readonly version: string; readonly scheme: VersionScheme },
  flag: YamlMap | undefined,
  problems: Problems,
): boolean {
  const when = scalarAt(flag, 'when');
  if (when === undefined) return true;
  const range = parseRange(when.text);
  if (range !== undefined && foreignOperand(range, scheme) === undefined) return rangeAllows(range, version, scheme);
  const ofScheme = range === undefined ? '' : ` with versions of the scheme ${scheme}`;
  problems.expected(when, 'when', `conditions such as <1.11.5 or >=1.22,<1.27${ofScheme}`);
  return true;
}

/** `requires` and `conflicts` name flags of the same recipe. */
function checkNamedFlags(
  recipe: string,
  declared: YamlMap | undefined,
  choices: ReadonlyMap<string, Choice>,
  problems: Problems,
): void {
  for (const name of choices.keys()) {
    for (const key of ['requires', 'conflicts']) {
      for (const node of scalarsAt(mapAt(declared, name), key)) {
        if (!choices.has(node.text)) problems.expected(node, `flags.${name}.${key}`, `a flag of ${recipe}`);
      }
    }
  }
}

interface FlagSettling {
  readonly applies: ReadonlyMap<string, boolean>;
  readonly notices: string[];
  readonly problems: Problems;
}

function settleConflicts(
  recipe: string,
  declared: YamlMap | undefined,
  choices: Map<string, Choice>,
  { applies, notices, problems }: FlagSettling,
): void {
  const isOn = (name: string) => choices.get(name)?.enabled === true && applies.get(name) === true;
  for (const name of choices.keys()) {
    for (const node of scalarsAt(mapAt(declared, name), 'conflicts')) {
      const other = node.text;
      if (!isOn(name) || !isOn(other)) continue;
      const [own, others] = [choices.get(name)!, choices.get(other)!];
      if (own.node !== undefined && others.node !== undefined) {
        const message = `Cannot use "${name}": expected ${recipe} without its flag "${other}", found both asked for`;
        problems.add(own.node, message, { hint: 'leave out one of them' });
      }
      const [kept, dropped] = own.rank > others.rank ? [name, other] : [other, name];
      choices.set(dropped, { ...choices.get(dropped)!, enabled: false });
      notices.push(`the flag "${dropped}" of ${recipe} is off because "${kept}" is on`);
    }
  }
}

/** Turning a flag off can take another's requirement away, so this goes on until nothing changes. */
function settleRequirements(
  recipe: string,
  declared: YamlMap | undefined,
  choices: Map<string, Choice>,
  { applies, notices, problems }: FlagSettling,
): void {
  for (let changed = true; changed; ) {
    changed = false;
    for (const [name, choice] of choices) {
      if (!choice.enabled || !applies.get(name)) continue;
      const required = scalarsAt(mapAt(declared, name), 'requires');
      const missing = required.find(({ text }) => choices.get(text)?.enabled === false)?.text;
      if (missing === undefined) continue;
      if (choice.node !== undefined) {
        const message = `Cannot use "${name}": expected ${recipe} with its flag "${missing}", found that turned off`;
        problems.add(choice.node, message, { hint: `turn on "${missing}" too, or leave out "${name}"` });
      } else {
        notices.push(`the flag "${name}" of ${recipe} is off because "${missing}" is`);
      }
      choices.set(name, { ...choice, enabled: false });
      changed = true;
    }
  }
}

/** The mapping of each flag that is in effect, by name, with whether it is on. */
export function effectiveFlags(
  root: YamlMap,
  flags: Readonly<Record<string, ResolvedFlag>>,
): readonly { readonly name: string; readonly enabled: boolean; readonly map: YamlMap }[] {
  const declared = nodeAt(root, 'flags');
  if (declared?.kind !== 'map') return [];
  return Object.keys(flags)
    .sort()
    .flatMap((name) => {
      const map = memberOf(declared, name)?.value;
      const { enabled, applies } = flags[name]!;
      return map?.kind === 'map' && applies ? [{ name, enabled, map }] : [];
    });
}
