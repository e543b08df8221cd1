import { availableParallelism } from 'node:os';
import { BuilditError } from '../model/errors.ts';
import type { DebianPin } from '../model/lock.ts';
import type { Store } from '../store/store.ts';
import { removeAbandoned } from '../store/temporary.ts';
import { flockCommand } from '../system/lock.ts';
import { type ConversionThread, startConversionThread } from './conversion-thread.ts';
import { type ConvertedDeb, type ConvertOptions, convertDeb, findConverted } from './convert-deb.ts';

export interface ConvertDebsOptions extends ConvertOptions {
  readonly signal: AbortSignal;
  /** Packages at once; as many as there are processors by default. */
  readonly jobs?: number | undefined;
  readonly onProgress?: ((progress: { done: number; total: number }) => void) | undefined;
}

/** Starting threads costs about as much as converting this many compressed bytes. */
const WORTH_THREADS_BYTES = 4 << 20;

/**
 * Converts packages whose `.deb` files are in the store and yields each as soon as it is there, in no certain order:
 * those converted before first, then the largest first. Threads are used where there is work for more than one.
 */
export async function* convertDebs(
  store: Store,
  pins: readonly DebianPin[],
  options: ConvertDebsOptions,
): AsyncGenerator<{ readonly pin: DebianPin; readonly converted: ConvertedDeb }, void, undefined> {
  const { signal, onProgress } = options;
  let done = 0;
  const tell = () => {
    done += 1;
    onProgress?.({ done, total: pins.length });
  };
  const waiting: DebianPin[] = [];
  for (const pin of pins) {
    throwIfAborted(signal);
    const converted = await findConverted(store, pin, options);
    if (converted === undefined) {
      waiting.push(pin);
      continue;
    }
    tell();
    yield { pin, converted };
  }
  for await (const result of convertInParallel(store, waiting, options)) {
    tell();
    yield result;
  }
}

async function* convertInParallel(store: Store, pins: readonly DebianPin[], options: ConvertDebsOptions) {
  const { signal, encode, tree, jobs = availableParallelism() } = options;
  const waiting = [...pins].sort((a, b) => b.size - a.size || (a.name < b.name ? -1 : 1));
  const bytes = pins.reduce((sum, { size }) => sum + size, 0);
  const count = Math.max(1, Math.min(jobs, waiting.length));
  const workers =
    count < 2 || bytes < WORTH_THREADS_BYTES
      ? [inThisThread(store, options)]
      : Array.from({ length: count }, () => {
          const setting = { store: store.directory, flock: flockCommand(), encode, tree };
          return startConversionThread(setting, store.onWarning);
        });
  const aborted = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(interrupted()), { once: true });
  });
  aborted.catch(() => undefined);
  try {
    throwIfAborted(signal);
    const running = new Map<ConversionThread, Promise<Finished>>();
    const start = (worker: ConversionThread) => {
      const pin = waiting.shift();
      if (pin !== undefined) {
        const work = worker.convert(pin).then((converted) => ({ worker, pin, converted }));
        work.catch(() => undefined);
        running.set(worker, work);
      }
    };
    for (const worker of workers) start(worker);
    while (running.size > 0) {
      const { worker, pin, converted } = await Promise.race([aborted, ...running.values()]);
      running.delete(worker);
      start(worker);
      yield { pin, converted };
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.end()));
    // A thread that was ended in the middle of its work has let go of the lock on its files.
    if (signal.aborted) await removeAbandoned(store);
  }
}

interface Finished {
  readonly worker: ConversionThread;
  readonly pin: DebianPin;
  readonly converted: ConvertedDeb;
}

function inThisThread(store: Store, options: ConvertOptions): ConversionThread {
  return { convert: (pin) => convertDeb(store, pin, options), end: async () => {} };
}

function throwIfAborted(signal: AbortSignal): void {
  if (signal.aborted) throw interrupted();
}

function interrupted(): BuilditError {
  return new BuilditError('interrupted', 'Cannot convert Debian packages: interrupted');
}
