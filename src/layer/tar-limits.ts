/** Caps on an archive, checked while it is read and before anything is made of what exceeds them. */
export interface TarLimits {
  /** Sum of the sizes of all files. */
  readonly maxBytes: number;
  readonly maxEntries: number;
  /** Elements of a path. */
  readonly maxDepth: number;
  /** Bytes of a path or of a link's target. */
  readonly maxNameBytes: number;
}

/** Above every real package and source archive, below what would fill a machine. */
export const DEFAULT_TAR_LIMITS: TarLimits = {
  maxBytes: 16 * 2 ** 30,
  maxEntries: 1_000_000,
  maxDepth: 100,
  maxNameBytes: 3500,
};
