import type { SourcePosition } from './source-position.ts';

/** What a started program has to answer, asked from inside its sandbox. */
export type ServerCheck =
  | {
      readonly kind: 'http';
      /** `http:` or `https:` of this machine's loopback; a certificate is not verified. */
      readonly url: string;
      readonly status: number;
      /** What the answer's body contains. */
      readonly body: string | undefined;
    }
  /** That something listens. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

export type TestAction =
  | { readonly kind: 'run'; readonly command: readonly string[] }
  /** Run by a shell of the root that is tested. */
  | { readonly kind: 'script'; readonly script: string }
  /** Started, asked, and ended. */
  | { readonly kind: 'start'; readonly command: readonly string[]; readonly check: ServerCheck };

/**
 * One trial of something finished, a package or an image, in a sandbox that holds what is tried and nothing else. Tests
 * never enter a HASH.
 */
export interface TestDefinition {
  readonly name: string;
  readonly action: TestAction;
  /** What the output contains; undefined where it does not matter. */
  readonly stdout: string | undefined;
  readonly stderr: string | undefined;
  /** Not looked at for `start`. */
  readonly exitCode: number;
  readonly stdin: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly position: SourcePosition;
}
