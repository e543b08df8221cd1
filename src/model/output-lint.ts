import type { SourcePosition } from './source-position.ts';

/** What a finished build may be blamed for; each can be allowed by a recipe, under this name. */
export const OUTPUT_LINT_CODES = [
  'build-path',
  'dangling-link',
  'executable-stack',
  'missing-interpreter',
  'missing-license',
  'name-collision',
  'path-policy',
  'replaced-tool',
  'run-path',
  'set-id',
  'shared-file',
  'text-relocation',
  'unstripped',
  'unusual-path',
  'world-writable',
  'wrong-machine',
] as const;

export type OutputLintCode = (typeof OUTPUT_LINT_CODES)[number];

export type LintSeverity = 'error' | 'warning';

/** One thing that is wrong with one file of a layer. */
export interface OutputFinding {
  readonly code: OutputLintCode;
  /** The path in the layer, without a leading slash; absent where the layer as a whole is meant. */
  readonly path?: string;
  /** What was found there, as one clause: `mode 4755`. */
  readonly found: string;
}

/** What a recipe says is meant to be so: `allow: {set-id: {reason: "su needs it", paths: ["usr/bin/su"]}}`. */
export interface LintAllowance {
  readonly code: OutputLintCode;
  readonly reason: string;
  /** Globs of paths without a leading slash; none for all paths. */
  readonly paths: readonly string[];
  readonly position?: SourcePosition;
}
