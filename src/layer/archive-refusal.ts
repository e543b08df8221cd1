import { BuilditError, type ErrorDetails } from '../model/errors.ts';
import { printable } from '../model/names.ts';

const MOST_CHARACTERS = 300;

/** An archive that is not taken: it is damaged, or says something that must not be done. */
export class ArchiveRefusal extends BuilditError {
  /** The archive, with the member behind a colon: `x.tar: x/a`. */
  readonly object: string;
  /** `expected …, found …` */
  readonly reason: string;
  readonly isOfRecipe: boolean;

  constructor(object: string, reason: string, details: ErrorDetails = {}, owner?: string) {
    super(
      'archive-refused',
      `Cannot unpack "${object}"${owner === undefined ? '' : ` of ${owner}`}: ${reason}`,
      details,
    );
    this.object = object;
    this.reason = reason;
    this.isOfRecipe = owner !== undefined;
  }

  /** The same refusal with the name of the recipe that has the archive, and what its author can do. */
  ofRecipe(name: string, hint: string | undefined): ArchiveRefusal {
    return new ArchiveRefusal(this.object, this.reason, { hint: this.hint ?? hint, cause: this }, name);
  }
}

export function archiveRefusal(object: string, expected: string, found: string, cause?: unknown): ArchiveRefusal {
  return new ArchiveRefusal(
    shortened(object),
    `expected ${expected}, found ${shortened(found)}`,
    cause === undefined ? {} : { cause },
  );
}

function shortened(text: string): string {
  return printable(text).slice(0, MOST_CHARACTERS);
}
