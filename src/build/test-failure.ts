import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { TestDefinition } from '../model/test-definition.ts';
import type { FailedTest } from './run-test.ts';
import type { TestSubject } from './test-root.ts';

/** A failed test as an error: what was expected, what was found, and the end of what it wrote. */
export function testFailure(
  { name, position }: TestDefinition,
  { title, hint }: TestSubject,
  { mismatch: { expected, found }, tails }: FailedTest,
): BuilditError {
  return new BuilditError(
    'test-failed',
    printable(`Cannot pass the test "${name}" of "${title}": expected ${expected}, found ${found}`),
    {
      details: [...tails.stdout.map((line) => `stdout | ${line}`), ...tails.stderr.map((line) => `stderr | ${line}`)],
      hint,
      position,
    },
  );
}
