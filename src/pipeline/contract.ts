import type { DiscoveryRequest } from '../discover/parse-discovery.ts';
import type { Config, RunContext } from '../model/config.ts';
import type { ContainerDefinition } from '../model/container.ts';
import type { Digest } from '../model/digest.ts';
import type { Hash } from '../model/package-hash.ts';
import type { Plan } from '../model/plan.ts';
import type { Witness } from '../system/witness.ts';

/** What every verb that works on a container directory gives to the pipeline. */
export interface BuildOptions {
  /** Absolute path of the directory that holds container.yaml. */
  readonly directory: string;
  readonly config: Config;
  readonly context: RunContext;
  /** Told of every file the run depends on, so that the next one can tell that nothing changed. */
  readonly witness: Witness;
  /** `linux/amd64`, in place of what the definition says. */
  readonly platform: string | undefined;
  /** Fails where the lock would change. */
  readonly locked: boolean;
  /** Besides that, offline. */
  readonly frozen: boolean;
  readonly fromSource: boolean;
  /** Compares the contents of all trees that the run refers to, whatever the store remembers of them. */
  readonly verify?: boolean;
  /** Names of packages that are built again, whatever a cache holds. */
  readonly rebuilt?: ReadonlySet<string>;
  readonly binaryOnly: boolean;
  /** After a failed build, builds everything that does not depend on it. */
  readonly keepGoing?: boolean;
  /** Runs upstream's own tests of what is built. */
  readonly check: boolean;
  /** Runs the tests of packages that are built and of the container. */
  readonly test: boolean;
  /** `type=oci,dest=…`, as typed. None: what container.yaml says, below `out/`. */
  readonly outputs: readonly string[];
  readonly tag: readonly string[];
  /** Publishes packages, spec and images to the configured repository. */
  readonly push: boolean;
  /** Locations that may add recipes and binhosts to this run. */
  readonly discover: readonly DiscoveryRequest[];
}

export interface BuiltImage {
  readonly label: string;
  readonly path: string;
  readonly kind: string;
  readonly digest?: string | undefined;
  readonly imageId?: string | undefined;
  readonly size: number;
}

export interface BuildOutcome {
  readonly container: ContainerDefinition;
  readonly plan: Plan;
  readonly images: readonly BuiltImage[];
  readonly builtCount: number;
  /** Milliseconds since 1970: when the first signature that was relied on stops counting by itself. */
  readonly expiresMs?: number | undefined;
}

export interface PlannedStep {
  readonly name: string;
  readonly version: string;
  readonly hash: Hash;
  readonly buildKey: Digest | undefined;
  readonly state: 'found' | 'build';
  readonly reason: string;
}

export interface PlanOutcome {
  readonly plan: Plan;
  /** Dependencies first. */
  readonly steps: readonly PlannedStep[];
  /** Lines about maintainer scripts that do not run, by the archives that are in the store. */
  readonly skippedScripts?: () => Promise<readonly string[]>;
  /** Everything was found here, and the witness knows where: the next plan is the same unless one of its files changes. */
  readonly isSettled: boolean;
  /** Milliseconds since 1970: when the first signature that was relied on stops counting by itself. */
  readonly expiresMs: number | undefined;
}

export interface LockOutcome {
  readonly path: string;
  readonly written: boolean;
  readonly changes: readonly {
    readonly name: string;
    readonly from: string | undefined;
    readonly to: string | undefined;
  }[];
}
