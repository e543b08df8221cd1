import { positionAt, type YamlNode } from '../../document/yaml-node.ts';
import type { ErrorCode } from '../../model/errors.ts';
import { printable } from '../../model/names.ts';
import type { LintSeverity } from '../../model/output-lint.ts';
import type { SourcePosition } from '../../model/source-position.ts';

/** Matters of style, each with its weight. What reading refuses has the code of its error. */
export const STYLE_CODES = {
  'allow-without-reason': 'error',
  'boolean-spelling': 'warning',
  'default-phase': 'warning',
  'deprecated-license': 'warning',
  'insecure-homepage': 'warning',
  'missing-description': 'warning',
  'missing-homepage': 'warning',
  'missing-license': 'warning',
  'missing-test': 'warning',
  'mode-spelling': 'warning',
  'trailing-space': 'warning',
  'undescribed-flag': 'warning',
  'unknown-license': 'error',
  'unused-file': 'warning',
  'unused-patch': 'warning',
  'versions-order': 'warning',
} as const satisfies Readonly<Record<string, LintSeverity>>;

export type StyleCode = keyof typeof STYLE_CODES;

/** One thing that is wrong with a definition. */
export interface DefinitionFinding {
  readonly code: StyleCode | ErrorCode;
  readonly severity: LintSeverity;
  readonly message: string;
  readonly hint: string | undefined;
  readonly position: SourcePosition;
  /** What mends it without changing what the file means; absent where a person has to decide. */
  readonly fix: TextEdit | undefined;
}

/** Another text for the characters of a file from `start` up to `end`. */
export interface TextEdit {
  /** Absolute path of the file. */
  readonly path: string;
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Where in a node a finding is, and what to do about it. */
export interface FindingDetails {
  readonly hint?: string | undefined;
  /** Characters behind the beginning of the node. */
  readonly offset?: number;
  readonly fix?: Omit<TextEdit, 'path'> | undefined;
}

export function styleFinding(
  code: StyleCode,
  node: Pick<YamlNode, 'document' | 'start'>,
  message: string,
  { hint, offset = 0, fix }: FindingDetails = {},
): DefinitionFinding {
  return {
    code,
    severity: STYLE_CODES[code],
    message: printable(message),
    hint: hint === undefined ? undefined : printable(hint),
    position: positionAt(node.document, node.start + offset),
    fix: fix && { path: node.document.path, ...fix },
  };
}
