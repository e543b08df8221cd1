/** Bytes that may be under way at the same time, given out in the order in which they were asked for. */
export interface ByteBudget {
  take(bytes: number): Promise<void>;
  giveBack(bytes: number): void;
}

/** A single request for more than `total` gets all of it alone. */
export function createByteBudget(total: number): ByteBudget {
  const waiting: { readonly bytes: number; readonly go: () => void }[] = [];
  let free = total;
  const serve = () => {
    while (waiting.length > 0 && (free >= waiting[0]!.bytes || free === total)) {
      const { bytes, go } = waiting.shift()!;
      free -= bytes;
      go();
    }
  };
  return {
    take: (bytes) =>
      new Promise((go) => {
        waiting.push({ bytes, go });
        serve();
      }),
    giveBack: (bytes) => {
      free += bytes;
      serve();
    },
  };
}
