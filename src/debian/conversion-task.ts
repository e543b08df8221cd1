import type { LayerCompression } from '../model/container.ts';
import { BuilditError, type ErrorCode } from '../model/errors.ts';
import type { DebianPin } from '../model/lock.ts';
import type { ConvertedDeb } from './convert-deb.ts';

/** What a converting thread is told once. */
export interface ConversionSetting {
  readonly store: string;
  readonly flock: readonly string[] | undefined;
  readonly encode: LayerCompression | undefined;
  readonly tree: 'now' | 'later' | undefined;
}

/** What it is asked, one at a time. */
export interface ConversionTask {
  readonly pin: DebianPin;
}

export type ConversionAnswer =
  | { readonly kind: 'converted'; readonly converted: ConvertedDeb }
  | { readonly kind: 'warning'; readonly text: string }
  | { readonly kind: 'failed'; readonly failure: ThreadFailure };

/** An error as it passes between threads, where classes are lost. */
export type ThreadFailure =
  | {
      readonly kind: 'understood';
      readonly code: ErrorCode;
      readonly message: string;
      readonly hint: string | undefined;
      readonly details: readonly string[];
    }
  | { readonly kind: 'bug'; readonly stack: string };

export function packFailure(error: unknown): ThreadFailure {
  if (!(error instanceof BuilditError)) {
    return { kind: 'bug', stack: error instanceof Error ? (error.stack ?? error.message) : String(error) };
  }
  const { code, message, hint, details } = error;
  return { kind: 'understood', code, message, hint, details };
}

export function unpackFailure(failure: ThreadFailure): Error {
  if (failure.kind === 'bug') return new Error(`A converting thread failed: ${failure.stack}`);
  const { code, message, hint, details } = failure;
  return new BuilditError(code, message, { hint, details });
}
