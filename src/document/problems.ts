import { BuilditError, type ErrorCode, type ErrorDetails, throwCollected } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { describeNode, positionOf, type YamlNode } from './yaml-node.ts';

const MAXIMUM_REPORTED = 50;

export interface ProblemDetails extends Omit<ErrorDetails, 'position'> {
  readonly code?: ErrorCode;
  /** Characters behind the beginning of the node. */
  readonly offset?: number;
  /** The line is not shown: what stands in it may be a secret. */
  readonly hidesLine?: boolean;
  /** Another node that nobody need complain about any more: what it seems to lack is what is misspelt here. */
  readonly settles?: YamlNode | undefined;
}

/** Collects what is wrong in the files a person wrote, so that all of it is told at once. One complaint for each node. */
export class Problems {
  readonly #code: ErrorCode;
  readonly #found: { readonly node: YamlNode; readonly error: BuilditError }[] = [];
  readonly #flagged = new Set<YamlNode>();

  constructor(code: ErrorCode) {
    this.#code = code;
  }

  /** Adds a complaint about a node; text in it from the file is made printable. A second one about it is dropped. */
  add(node: YamlNode, message: string, options: ProblemDetails = {}): void {
    const { code = this.#code, offset = 0, hint, settles, hidesLine = false, ...details } = options;
    if (this.#flagged.has(node)) return;
    this.#flagged.add(node);
    if (settles !== undefined) this.#flagged.add(settles);
    const { excerpt, ...place } = positionOf(node, offset);
    const position = hidesLine || excerpt === undefined ? place : { ...place, excerpt };
    const printableHint = hint === undefined ? undefined : printable(hint);
    const error = new BuilditError(code, printable(message), { ...details, hint: printableHint, position });
    this.#found.push({ node, error });
  }

  /** Says that the node, called `label`, is not what was expected. */
  expected(node: YamlNode, label: string, expected: string, details?: ProblemDetails): void {
    this.add(node, `Cannot read "${label}": expected ${expected}, found ${describeNode(node)}`, details);
  }

  /** Adds an error that happened elsewhere on behalf of a node; one without a position gets the node's. */
  addError(node: YamlNode, error: unknown): void {
    if (!(error instanceof BuilditError)) throw error;
    if (this.#flagged.has(node)) return;
    this.#flagged.add(node);
    const { code, message, hint, details, cause, position = positionOf(node) } = error;
    this.#found.push({ node, error: new BuilditError(code, message, { hint, details, position, cause }) });
  }

  /** Adds what others collected, in their order; a second complaint about a node is dropped. */
  addAll(others: Problems): void {
    for (const found of others.#found) {
      if (this.#flagged.has(found.node)) continue;
      this.#flagged.add(found.node);
      this.#found.push(found);
    }
  }

  get isEmpty(): boolean {
    return this.#found.length === 0;
  }

  /** Everything that was collected, in the order of files and places. */
  get errors(): readonly BuilditError[] {
    const files = [...new Set(this.#found.map(({ error }) => error.position!.file))];
    const sorted = this.#found.toSorted(
      (a, b) =>
        files.indexOf(a.error.position!.file) - files.indexOf(b.error.position!.file) ||
        a.error.position!.line - b.error.position!.line ||
        a.error.position!.column - b.error.position!.column,
    );
    return sorted.map(({ error }) => error);
  }

  /** Throws everything that was collected, in the order of files and places; nothing when there is nothing. */
  throwAll(): void {
    const sorted = this.errors;
    const errors = sorted.slice(0, MAXIMUM_REPORTED);
    const left = sorted.length - errors.length;
    if (left > 0) errors.push(new BuilditError(this.#code, `Cannot list all mistakes: found ${left} more`));
    throwCollected(errors);
  }
}
