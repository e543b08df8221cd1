import type { DependencyKind, DraftField, DraftNote } from '../recipe-draft.ts';
import { isUnexpanded } from '../shell/shell-word.ts';
import { debianNameOf, knownName } from './foreign-names.ts';

/** Gathers what a person has to look at while a recipe is translated. */
export class DraftNotes {
  readonly notes: DraftNote[] = [];
  readonly #known = new Set<string>();

  /** A note is one line, whatever lines it tells of. */
  todo(at: DraftField, said: string): void {
    const text = said.replace(/\s+/g, ' ').trim();
    if (this.#known.has(`${at} ${text}`)) return;
    this.#known.add(`${at} ${text}`);
    this.notes.push({ at, kind: 'todo', text });
  }
}

/** Dependencies by kind while they are gathered. */
export class DraftDependencyList {
  readonly kinds: Record<DependencyKind, string[]> = { build: [], link: [], run: [], test: [] };
  readonly #notes: DraftNotes;

  constructor(notes: DraftNotes) {
    this.#notes = notes;
  }

  /** Adds a package by the name another system has for it; one nobody knows is a note. */
  add(foreign: string, kind: DependencyKind): void {
    const known = knownName(foreign);
    if (known === undefined) {
      const debian = debianNameOf(foreign);
      const hint = debian === undefined ? '' : `; perhaps debian/${debian}`;
      this.#notes.todo('dependencies', `${kind}: ${foreign} is not known here${hint}`);
      return;
    }
    // Tools are tools and libraries libraries, whatever else is said; what runs with it stays with it.
    const at = kind === 'run' || kind === 'test' ? kind : (known.kind ?? kind);
    for (const atom of known.atoms) if (!this.kinds[at].includes(atom)) this.kinds[at].push(atom);
  }

  /** Adds a word of Alpine's or Wolfi's lists: `openssl-dev>=3`, or `!rudeness` for a conflict. */
  addAlpine(word: string, kindOf: (name: string) => DependencyKind): void {
    if (word.startsWith('!')) {
      this.#notes.todo('dependencies', `conflicts with ${word.slice(1)}, which nothing says here`);
    } else if (isUnexpanded(word)) this.#notes.todo('dependencies', `not understood: ${word}`);
    else {
      const name = word.split(/[<>=~@]/, 1)[0]!;
      this.add(name, kindOf(name));
      if (name !== word) this.#notes.todo('dependencies', `the version is not kept: ${word}`);
    }
  }
}
