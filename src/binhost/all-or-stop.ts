/** Does several things at once. The first failure stops the others, and is thrown when all of them have ended. */
export async function allOrStop<Result>(
  signal: AbortSignal | undefined,
  works: readonly ((signal: AbortSignal) => Promise<Result>)[],
): Promise<readonly Result[]> {
  const others = new AbortController();
  const either = signal === undefined ? others.signal : AbortSignal.any([signal, others.signal]);
  const failures: unknown[] = [];
  const results: Result[] = [];
  await Promise.all(
    works.map(async (work, index) => {
      try {
        results[index] = await work(either);
      } catch (error) {
        failures.push(error);
        others.abort();
      }
    }),
  );
  if (failures.length > 0) throw failures[0];
  return results;
}
