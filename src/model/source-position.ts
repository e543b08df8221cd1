/** A place in a file a person wrote; line and column count from 1. `excerpt` is the line itself. */
export interface SourcePosition {
  readonly file: string;
  readonly line: number;
  readonly column: number;
  readonly excerpt?: string;
}
