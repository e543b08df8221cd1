import type { BuilditError } from '../../src/model/errors.ts';

/** What a function throws. */
export function failureOf(run: () => unknown): BuilditError {
  try {
    run();
  } catch (error) {
    return error as BuilditError;
  }
  throw new Error('expected a failure, found none');
}
