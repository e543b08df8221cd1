import type { ErrorCode } from '../model/errors.ts';
import { BuilditError, BuilditErrors } from '../model/errors.ts';

/** A mistake in buildit itself (EX_SOFTWARE of sysexits.h). */
export const BUG_EXIT_CODE = 70;

/** `doctor --store` found something damaged (EX_IOERR of sysexits.h). */
export const STORE_DAMAGED_EXIT_CODE = 74;

/** The exit codes of the command line: 10 to 29 are buildit's own, 64 to 78 are those of sysexits.h. */
const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  'build-failed': 10,
  'test-failed': 11,
  'patch-rejected': 12,
  'not-reproducible': 13,
  'lint-failed': 14,
  'dependency-unsatisfied': 15,
  'dependency-cycle': 15,
  'path-conflict': 15,
  'undeclared-need': 15,
  usage: 64,
  'definition-invalid': 65,
  'input-invalid': 65,
  'checksum-mismatch': 65,
  'archive-refused': 65,
  'lock-outdated': 65,
  'store-damaged': 65,
  'file-missing': 66,
  unreachable: 69,
  offline: 69,
  'cannot-write': 73,
  'disk-full': 73,
  busy: 75,
  'signature-invalid': 77,
  'authentication-failed': 77,
  'configuration-invalid': 78,
  'sandbox-unavailable': 78,
  interrupted: 130,
};

/** Of several errors the first decides, as it is also the first that is shown. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof BuilditErrors) return exitCodeOf(error.errors[0]);
  return error instanceof BuilditError ? EXIT_CODES[error.code] : BUG_EXIT_CODE;
}

const SIGNAL_NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

export type StopSignal = keyof typeof SIGNAL_NUMBERS;

/** What a shell reports for a process that a signal ended. */
export function exitCodeOfSignal(signal: StopSignal): number {
  return 128 + SIGNAL_NUMBERS[signal];
}
