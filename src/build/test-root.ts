/** The file system of something finished, laid out on this machine for its tests. */
export interface TestTree {
  readonly path: string;
  /** Entries at the top, by what they are; links with where they lead. */
  readonly directories: readonly string[];
  readonly files: readonly string[];
  readonly links: readonly { readonly name: string; readonly target: string }[];
  /** All entries, parents before what they hold, with the owners and modes they are to have: on disk they have others. */
  readonly entries: readonly TestTreeEntry[];
}

export interface TestTreeEntry {
  readonly path: string;
  readonly kind: 'directory' | 'file' | 'symlink';
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** What is tested, and as whom. */
export interface TestSubject {
  /** `app-misc/hello-2.10`, or a container's title. */
  readonly title: string;
  /**
   * `package`: nothing can be written but /tmp, /run and /dev/shm, which are empty.
   * `image`: everything outside /usr is a private copy for each test; it takes itself for a container.
   */
  readonly kind: 'package' | 'image';
  readonly tree: TestTree;
  readonly uid: number;
  readonly gid: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
  /** What can be typed to look into it. */
  readonly hint: string | undefined;
}
