import { BuilditError } from '../model/errors.ts';

/** One place that was asked, and what it said: `https://example.org/?ac-discovery=1`, `404 (not there)`. */
export interface DiscoveryStep {
  readonly tried: string;
  readonly answer: string;
}

/** Recipes that a location offers: a directory with a repository.yaml. */
export interface OfferedRecipes {
  readonly name: string;
  /** Address of the git repository they are in; undefined for a directory of this machine. */
  readonly git: string | undefined;
  /** Branch, tag or commit; undefined for what the repository's HEAD names. */
  readonly ref: string | undefined;
  /** Full commit id, where the repository was fetched already. */
  readonly revision: string | undefined;
  /** Where in the repository or directory: a clean relative path, or `.`. */
  readonly path: string;
  /** Absolute path of the recipes themselves, where they are on this machine already. */
  readonly directory: string | undefined;
}

/** A binhost that a location offers, in the words of the configuration. Never one that is reached by ssh or as a file. */
export interface OfferedBinhost {
  readonly name: string;
  readonly downloadType: 'https' | 'http' | 'ssh' | 'file';
  /** `host[:port]/path`. */
  readonly downloadPath: string;
  readonly priority: number | undefined;
}

/** Images in the manner of the appc discovery specification. */
export interface OfferedImages {
  /** The names that begin with this are found there. */
  readonly prefix: string;
  /** An https address with `{name} {version} {os} {arch} {ext}` in it. */
  readonly template: string;
}

/** What a location offers. None of it counts more than what is configured, and no signer of it counts by itself. */
export interface Discovery {
  readonly location: string;
  readonly description: string | undefined;
  /** Full commit id of the git repository whose buildit.json this is; undefined where it came from elsewhere. */
  readonly revision: string | undefined;
  readonly recipes: readonly OfferedRecipes[];
  readonly binhosts: readonly OfferedBinhost[];
  readonly images: readonly OfferedImages[];
  /** Fingerprints (`SHA256:…`) or lines of an allowed_signers file, as offered. */
  readonly signers: readonly string[];
  readonly steps: readonly DiscoveryStep[];
}

/** Nothing was found at a location; `steps` is everything that was tried. */
export class DiscoveryFailure extends BuilditError {
  readonly location: string;
  readonly steps: readonly DiscoveryStep[];

  constructor(location: string, steps: readonly DiscoveryStep[], hint?: string) {
    const message = `Cannot discover "${location}": expected recipes or a binhost, found neither at any place tried`;
    super('unreachable', message, {
      details: steps.map(({ tried, answer }) => `${tried}: ${answer}`),
      hint: hint ?? 'a location is a configured name, a path, a git repository with a buildit.json, or a web page',
    });
    this.location = location;
    this.steps = steps;
  }
}
