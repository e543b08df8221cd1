import { BuilditError, BuilditErrors } from '../model/errors.ts';

/** Does some work; errors lose their place where it is in a file that nobody wrote (named as it is shown). */
export async function withoutPlaceIn<Result>(file: string, work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof BuilditErrors) throw new BuilditErrors(error.errors.map((one) => withoutPlace(one, file)));
    throw error instanceof BuilditError ? withoutPlace(error, file) : error;
  }
}

function withoutPlace(error: BuilditError, file: string): BuilditError {
  if (error.position?.file !== file) return error;
  const { code, message, hint, details, cause } = error;
  return new BuilditError(code, message, { hint, details, cause });
}
