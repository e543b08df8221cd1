import type { BuildRequest } from '../model/build-request.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { SANDBOX_ENVIRONMENT, SANDBOX_PATHS } from '../model/sandbox-contract.ts';

/** The environment of every phase: the fixed one, the recipe's variables over it, and what buildit alone says. */
export function phaseEnvironment(request: BuildRequest, sourceDate: number): Record<string, string> {
  for (const [name, value] of Object.entries(request.environment)) {
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name) && !value.includes('\0')) continue;
    throw new BuilditError(
      'definition-invalid',
      `Cannot set the variable "${printable(name)}": expected a name of letters, digits and _ and a value without NUL`,
    );
  }
  return {
    ...SANDBOX_ENVIRONMENT,
    ...request.environment,
    BUILDIT_NAME: request.name,
    BUILDIT_VERSION: request.version,
    DESTDIR: SANDBOX_PATHS.output,
    FILESDIR: SANDBOX_PATHS.files,
    JOBS: String(request.jobs),
    SOURCE_DATE_EPOCH: String(sourceDate),
  };
}
