import { boundedText, fewLines } from './shown-name.ts';
import type { SourcePosition } from './source-position.ts';

/** Every way buildit can fail. The command line maps each to an exit code; tests assert them. */
export type ErrorCode =
  | 'usage'
  | 'definition-invalid'
  | 'configuration-invalid'
  | 'input-invalid'
  | 'checksum-mismatch'
  | 'archive-refused'
  | 'signature-invalid'
  | 'authentication-failed'
  | 'file-missing'
  | 'unreachable'
  | 'offline'
  | 'lock-outdated'
  | 'dependency-unsatisfied'
  | 'dependency-cycle'
  | 'path-conflict'
  | 'patch-rejected'
  | 'build-failed'
  | 'undeclared-need'
  | 'lint-failed'
  | 'test-failed'
  | 'not-reproducible'
  | 'sandbox-unavailable'
  | 'cannot-write'
  | 'disk-full'
  | 'store-damaged'
  | 'busy'
  | 'interrupted';

export interface ErrorDetails {
  /** What the user can do about it; one line each. */
  readonly hint?: string | undefined;
  /** Lines printed below the message, such as the two sides of a patch that does not match. */
  readonly details?: readonly string[];
  readonly position?: SourcePosition | undefined;
  readonly cause?: unknown;
}

const MESSAGE_BOUNDS = { characters: 1000, lines: 4 };
const HINT_BOUNDS = { characters: 1000, lines: 12 };
const DETAIL_BOUNDS = { characters: 1000, lines: 4 };
const MOST_DETAILS = 200;

/**
 * A failure the user can understand: one sentence, `Cannot <verb> "<object>": expected <x>, found <y>`. Names in it may come
 * from anywhere, so all of its texts are bounded; where they are shown, they are escaped.
 */
export class BuilditError extends Error {
  override readonly name = 'BuilditError';
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly details: readonly string[];
  readonly position: SourcePosition | undefined;

  constructor(code: ErrorCode, message: string, { hint, details = [], position, cause }: ErrorDetails = {}) {
    super(boundedText(message, MESSAGE_BOUNDS), cause === undefined ? undefined : { cause });
    this.code = code;
    this.hint = hint === undefined ? undefined : boundedText(hint, HINT_BOUNDS);
    this.details = fewLines(details, MOST_DETAILS).map((line) => boundedText(line, DETAIL_BOUNDS));
    this.position = position;
  }
}

/** Several independent mistakes reported together: all that is wrong in a file, all builds that failed. */
export class BuilditErrors extends Error {
  override readonly name = 'BuilditErrors';
  readonly errors: readonly BuilditError[];

  constructor(errors: readonly BuilditError[]) {
    super(errors.map((error) => error.message).join('\n'));
    this.errors = errors;
  }
}

/** Throws what was collected, each once: nothing for none, the error itself for one, `BuilditErrors` for more. */
export function throwCollected(errors: readonly BuilditError[]): void {
  const said = new Set<string>();
  const different = errors.filter(({ code, message, hint, details, position }) => {
    const text = JSON.stringify([code, message, hint, details, position]);
    if (said.has(text)) return false;
    said.add(text);
    return true;
  });
  if (different.length === 1) throw different[0];
  if (different.length > 1) throw new BuilditErrors(different);
}
