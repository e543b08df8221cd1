/** What is to be let go of when the process ends; the latest first. */
const closers = new Set<() => Promise<void>>();

/** Longer than that no other side is waited for. */
const PATIENCE_MS = 2000;

/**
 * Makes sure that a connection, a pool or a child is closed when the process ends, however it ends. The answer closes it
 * earlier; whichever comes first counts.
 */
export function closedAtEnd(close: () => Promise<void> | void): () => Promise<void> {
  let done: Promise<void> | undefined;
  const closeOnce = () => {
    closers.delete(closeOnce);
    done ??= Promise.resolve().then(close);
    return done;
  };
  closers.add(closeOnce);
  return closeOnce;
}

/** Closes everything that is still open. Failures of closing are no news: what was to be done is done or has failed. */
export async function closeEverything(patienceMs = PATIENCE_MS): Promise<void> {
  const closing = Promise.allSettled([...closers].toReversed().map((close) => close()));
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, patienceMs);
  });
  await Promise.race([closing, patience]);
  clearTimeout(timer);
}
