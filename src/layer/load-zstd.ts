type Zstd = typeof import('@bokuweb/zstd-wasm');

/** The wasm codec of this thread; its set-up must run once only. */
export function loadZstd(): Promise<Zstd> {
  zstd ??= import('@bokuweb/zstd-wasm').then(async (codec) => {
    await codec.init();
    return codec;
  });
  return zstd;
}

let zstd: Promise<Zstd> | undefined;
