import { shorten } from '../../document/yaml-node.ts';
import type { DependencyKind } from '../recipe-draft.ts';
import { DraftDependencyList, type DraftNotes } from './draft-notes.ts';
import { knownName } from './foreign-names.ts';
import { readUseString, type UsePart, useText } from './use-string.ts';

export interface DependencyReading {
  readonly value: (key: string) => string;
  readonly flags: ReadonlySet<string>;
  readonly notes: DraftNotes;
}

export interface EbuildDependencies {
  readonly always: Readonly<Record<DependencyKind, readonly string[]>>;
  /** By the flag they depend on. */
  readonly conditional: ReadonlyMap<string, DraftDependencyList>;
}

/** DEPEND is linked with, BDEPEND are tools, RDEPEND what runs: a library that is in DEPEND too is found by its soname. */
export function readEbuildDependencies({ value, flags, notes }: DependencyReading): EbuildDependencies {
  const always = new DraftDependencyList(notes);
  const conditional = new Map<string, DraftDependencyList>();
  const seen = new Set<string>();
  for (const [key, kind] of [
    ['BDEPEND', 'build'],
    ['DEPEND', 'link'],
    ['RDEPEND', 'run'],
    ['PDEPEND', 'run'],
  ] as const) {
    for (const { atom, condition } of atomsIn(readUseString(value(key)), notes)) {
      if (kind === 'run' && seen.has(`${condition} ${atom}`)) continue;
      seen.add(`${condition} ${atom}`);
      let list = always;
      if (condition !== undefined) {
        if (!flags.has(condition)) {
          notes.todo('dependencies', `${kind}: ${atom} only with ${condition}, which is no flag here`);
          continue;
        }
        list = conditional.get(condition) ?? new DraftDependencyList(notes);
        conditional.set(condition, list);
      }
      list.add(atom, kindOf(atom, kind));
    }
  }
  return { always: always.kinds, conditional };
}

/** What is needed to run and has headers is linked with; a name nobody knows stays where it was said. */
function kindOf(atom: string, kind: DependencyKind): DependencyKind {
  return kind === 'run' && knownName(atom)?.kind === 'link' ? 'link' : kind;
}

interface ReadAtom {
  readonly atom: string;
  /** The innermost flag it depends on. */
  readonly condition: string | undefined;
}

/** Phases of tests run here whatever flags are on, and signatures are not looked at. */
const [TESTS, SIGNATURES] = ['test', 'verify-sig'];

function atomsIn(parts: readonly UsePart[], notes: DraftNotes, condition?: string): ReadAtom[] {
  return parts.flatMap((part): ReadAtom[] => {
    if (part.kind === 'word') {
      const atom = readAtom(part.word, notes);
      return atom === undefined ? [] : [{ atom, condition }];
    }
    const { operator, parts: inner } = part;
    if (operator === SIGNATURES) return [];
    if (operator === '' || operator === TESTS) return atomsIn(inner, notes, condition);
    if (/^[|^?]/.test(operator)) {
      const taken = inner.find((one) =>
        wordsOfPart(one).every((word) => knownName(nameOfAtom(word) ?? '') !== undefined),
      );
      if (taken === undefined)
        notes.todo('dependencies', `one of several, of which none is known here: ${shown(part)}`);
      else notes.todo('dependencies', `one of several: ${useText(taken)} was taken of ${shown(part)}`);
      return taken === undefined ? [] : atomsIn([taken], notes, condition);
    }
    if (operator.startsWith('!')) {
      notes.todo('dependencies', `only without the flag ${operator.slice(1)}: ${inner.map(shown).join(' ')}`);
      return [];
    }
    if (condition !== undefined && condition !== operator) {
      notes.todo(
        'dependencies',
        `only with ${condition} and ${operator}, of which only ${operator} is said: ${shown(part)}`,
      );
    }
    return atomsIn(inner, notes, operator);
  });
}

function shown(part: UsePart): string {
  return shorten(useText(part), 200);
}

function wordsOfPart(part: UsePart): string[] {
  return part.kind === 'word' ? [part.word] : part.parts.flatMap(wordsOfPart);
}

const ATOM = /^([<>=~]*)([A-Za-z0-9+_.-]+\/[A-Za-z0-9+_.-]+?)(-[0-9][0-9A-Za-z._]*(?:-r[0-9]+)?\*?)?(:[^[]*)?(\[.*)?$/;

/** Matching takes as many steps as the square of it. */
const LONGEST_ATOM = 500;

function nameOfAtom(word: string): string | undefined {
  return word.length > LONGEST_ATOM ? undefined : ATOM.exec(word)?.[2];
}

/** `category/name` of an atom; versions, slots and flags of it, and what it must not be beside, are noted. */
function readAtom(word: string, notes: DraftNotes): string | undefined {
  if (word.startsWith('!')) {
    notes.todo('dependencies', `conflicts with ${word.replace(/^!+/, '')}, which nothing says here`);
    return undefined;
  }
  const [, range, , , slot = '', flags] = ATOM.exec(word.slice(0, LONGEST_ATOM)) ?? [];
  const name = nameOfAtom(word);
  if (name === undefined) notes.todo('dependencies', `not understood: ${word}`);
  else if (range !== '' || flags !== undefined || !/^(?::(?:0?(?:\/[^=]*)?[=*]?))?$/.test(slot)) {
    notes.todo('dependencies', `only its name is kept: ${word}`);
  }
  return name;
}
