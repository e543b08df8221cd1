import type { EventSink } from './events.ts';
import type { Ecosystem } from './registry.ts';

export interface RecipeRepository {
  readonly name: string;
  /** Absolute path of the directory that holds repository.yaml. */
  readonly path: string;
}

/** Recipes in a git repository: what they are is known when it has been fetched. */
export interface GitRecipes {
  readonly name: string;
  /** `https://…`, without credentials. */
  readonly git: string;
  /** Branch, tag or full commit id; undefined: what HEAD names. */
  readonly ref: string | undefined;
}

/** A place to share packages through, as configured. Used by publishing and by look-ups in binhosts. */
export interface BinhostConfig {
  readonly name: string;
  readonly uploadType: 'ssh' | 'file' | undefined;
  readonly uploadPath: string | undefined;
  readonly downloadType: 'https' | 'http' | 'ssh' | 'file' | undefined;
  readonly downloadPath: string | undefined;
  readonly priority: number;
  /** What happens to what no trusted signer signed: it is refused, warned of, or nobody asks. */
  readonly verify: 'require' | 'warn' | 'off';
  /** Patterns for the names of signers that count here; undefined: every trusted one. */
  readonly signers: readonly string[] | undefined;
  /** How many trusted builders must have signed the same layers. */
  readonly builders: number;
  readonly freshness: 'warn' | 'require';
  readonly timeoutMs: number | undefined;
  /** File with the certificates of authorities to trust there, PEM; absolute. */
  readonly ca: string | undefined;
  /** Allows plain http beyond loopback. */
  readonly insecure: boolean;
  readonly driver: 'builtin' | 'system';
  /** Fingerprints of keys that count at this place besides the user's signers: `trust=` of `--discover`. */
  readonly trustedKeys: readonly string[];
  /** Fingerprints that alone count, as a lock pinned them; undefined: no lock says anything. */
  readonly pinnedKeys: readonly string[] | undefined;
}

/** All settings after merging flags, environment and files; frozen. */
export interface Config {
  /** Absolute path of the store. */
  readonly store: string;
  readonly recipes: readonly RecipeRepository[];
  readonly gitRecipes: readonly GitRecipes[];
  readonly repository: BinhostConfig | undefined;
  readonly repositories: readonly BinhostConfig[];
  readonly debian: { readonly mirror: string | undefined };
  /** Addresses of registries that stand in for those the host's own tools are configured for. */
  readonly registries: Readonly<Partial<Record<Ecosystem, string>>>;
  readonly build: {
    readonly jobs: number;
    readonly timeoutMs: number;
    readonly memoryBytes: number;
    readonly keepFailed: boolean;
    readonly executor: 'local';
  };
  /**
   * What records are signed with: a path, `agent:SHA256:…` or `env:NAME`; undefined: the key of buildit's own, else
   * `~/.ssh/id_ed25519`.
   */
  readonly sign: { readonly key: string | undefined };
  readonly trust: {
    /**
     * Absolute path of the file that says whose signatures count; `revoked_keys` lies beside it. Undefined for a user
     * without a home directory, who trusts nobody.
     */
    readonly allowedSigners: string | undefined;
  };
  readonly use: { readonly with: readonly string[]; readonly without: readonly string[] };
  /** Absolute path of the user's own patches, by package; undefined: they do not count. */
  readonly userPatches?: string | undefined;
  readonly offline: boolean;
  /** Where each setting came from, for `buildit config show --origin`: dotted key to file, variable or flag. */
  readonly origins: Readonly<Record<string, string>>;
  /** Things to tell the user once: settings of a project's file that do not count. */
  readonly notices?: readonly string[];
}

/** What every stage may need besides its input: cancellation and a place to tell what happens. */
export interface RunContext {
  readonly signal: AbortSignal;
  readonly emit: EventSink;
  /** Asks for a passphrase without showing it; absent where there is no terminal. Undefined: the user gave none. */
  readonly ask?: ((question: string) => Promise<string | undefined>) | undefined;
}
