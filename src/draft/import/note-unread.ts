import { shorten } from '../../document/yaml-node.ts';
import type { ShellFile, ShellPart } from '../shell/read-shell.ts';
import type { DraftNotes } from './draft-notes.ts';

/** What a translator reads, or what means nothing here: everything else of a file is noted. */
export interface ReadNames {
  readonly variables: ReadonlySet<string>;
  readonly functions: ReadonlySet<string>;
  readonly commands: ReadonlySet<string>;
  /** Variables that mean something to the other system, and are noted though others are made of them. */
  readonly isForeign: (variable: string) => boolean;
}

/**
 * Notes every part of a file of shell that was not read, by its name and line. A variable of the recipe's own that
 * something else is made of is read with that.
 */
export function noteUnread({ parts }: ShellFile, read: ReadNames, notes: DraftNotes): void {
  const users = usersOf(parts);
  for (const { kind, name, line, source } of parts) {
    if (kind === 'unread') {
      notes.todo('phases', `line ${line} was not understood: ${shorten(source)}${assignedIn(source)}`);
    } else if (kind === 'command') {
      if (!read.commands.has(name)) notes.todo('phases', `line ${line} is not translated: ${shorten(source)}`);
    } else if (kind === 'function') {
      if (!read.functions.has(name)) notes.todo('phases', `the function ${name} (line ${line}) is not translated`);
    } else if (!read.variables.has(name)) {
      const isPartOfAnother = !read.isForeign(name) && (users.get(name) ?? [name]).some((user) => user !== name);
      if (!isPartOfAnother) notes.todo('name', `${name} (line ${line}) is not translated: ${shortValue(source)}`);
    }
  }
}

/** Who refers to a variable, two at most: what matters is whether anyone but itself does. */
function usersOf(parts: readonly ShellPart[]): ReadonlyMap<string, readonly string[]> {
  const users = new Map<string, string[]>();
  for (const { kind, name: user, source } of parts) {
    const own = kind === 'variable' ? user : `${kind} `;
    for (const [, name] of source.matchAll(/\$\{?[#!]?([A-Za-z_][A-Za-z0-9_]*)/g)) {
      const known = users.get(name!);
      if (known === undefined) users.set(name!, [own]);
      else if (known.length < 2 && !known.includes(own)) known.push(own);
    }
  }
  return users;
}

/** A condition may set what its first line does not name. */
function assignedIn(source: string): string {
  const [first = ''] = source.split('\n', 1);
  const names = [...source.matchAll(/(?:^|[\s;&|)])([A-Za-z_][A-Za-z0-9_]*)\+?=/g)].map(([, name]) => name!);
  const hidden = [...new Set(names)].filter(
    (name) => !shorten(first).includes(`${name}=`) && !shorten(first).includes(`${name}+=`),
  );
  return hidden.length === 0 ? '' : ` (it sets ${hidden.join(', ')})`;
}

function shortValue(source: string): string {
  return shorten(
    source
      .replace(/^(["'(])([\s\S]*)["')]$/, '$2')
      .replace(/\s+/g, ' ')
      .trim(),
  );
}
