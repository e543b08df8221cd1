import type { Digest } from './digest.ts';
import type { DiffId } from './layer.ts';
import type { PhaseName, SourceAction } from './package.ts';
import type { Hash } from './package-hash.ts';

/** Bounds of one build; they never enter the HASH. */
export interface BuildLimits {
  readonly timeoutMs: number;
  readonly memoryBytes: number;
  readonly processes: number;
  /** Of /out and of /build together. */
  readonly diskBytes: number;
  readonly logBytes: number;
}

/**
 * A build as plain, sorted, complete data: an executor needs this, the blobs it names and the trees of its root, and
 * knows nothing else.
 */
export interface BuildRequest {
  readonly format: 1;
  readonly hash: Hash;
  readonly name: string;
  readonly version: string;
  readonly platform: string;
  /** Layers of the root in composition order; later ones win. */
  readonly root: readonly DiffId[];
  /** Layers of the fixed root in which the output is packed. */
  readonly packingRoot: readonly DiffId[];
  readonly sources: readonly {
    readonly digest: Digest;
    readonly fileName: string;
    readonly action: SourceAction;
    readonly strip: number;
    readonly directory: string;
    readonly clears?: string | undefined;
    readonly isUndecided?: true;
    readonly isDebian?: true;
  }[];
  /** A list of patches in the source tree, applied before `patches`. */
  readonly series?: string | undefined;
  /** Blobs of normalised patches, applied to the source tree in order; `label` names one in messages. */
  readonly patches: readonly { readonly digest: Digest; readonly label: string }[];
  /** Files seen below $FILESDIR. */
  readonly files: readonly { readonly path: string; readonly digest: Digest; readonly executable: boolean }[];
  readonly environment: Readonly<Record<string, string>>;
  readonly phases: readonly { readonly name: PhaseName; readonly script: string }[];
  readonly jobs: number;
  readonly limits: BuildLimits;
}

export type BuildFailureReason = 'exit' | 'signal' | 'timeout' | 'memory' | 'disk' | 'log' | 'output';

export type BuildResult =
  | {
      readonly kind: 'built';
      /** SOURCE_DATE_EPOCH, seconds. */
      readonly sourceDate: number;
      /** The packed output as a tar stream; read once. */
      readonly output: AsyncIterable<Uint8Array>;
      /** Removes the workspace; to be called when the output was read or given up. */
      release(): Promise<void>;
    }
  | {
      readonly kind: 'failed';
      readonly phase: PhaseName | 'unpack' | 'patch' | 'pack';
      readonly reason: BuildFailureReason;
      /** Exit code or signal name, or what was exceeded, as one clause: `exit code 2`. */
      readonly explanation: string;
      /** Where the workspace was kept, when it was. */
      readonly workspace: string | undefined;
    };

export interface BuildContext {
  readonly signal: AbortSignal;
  readonly keepFailed: boolean;
  /** What the package is called on the command line, for hints: `./pkgs/nginx`; its name by default. */
  readonly shownName?: string | undefined;
  onPhase(phase: string): void;
  /** Raw bytes of the log, both streams in the order they came. */
  onLog(chunk: Uint8Array): void;
}

/** Runs build requests. The local sandbox is one; a cluster can be another. One behaviour suite tests them all. */
export interface BuildExecutor {
  readonly name: string;
  run(request: BuildRequest, context: BuildContext): Promise<BuildResult>;
}
