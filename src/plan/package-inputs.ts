import type { JsonValue } from '../model/canonical-json.ts';
import { type Digest, digestOfJson } from '../model/digest.ts';
import { BuilditError } from '../model/errors.ts';
import { DEBIAN_CONVERTER_VERSION, DPKG_DATABASE_VERSION, HASH_FORMAT } from '../model/identity.ts';
import type { DiffId } from '../model/layer.ts';
import type { DebianPin, PatchPin } from '../model/lock.ts';
import { type PackagePatch, PHASE_NAMES, type ResolvedPackage } from '../model/package.ts';
import type { Hash } from '../model/package-hash.ts';
import { type Platform, platformText } from '../model/platform.ts';

export type HashInputs = { readonly [key: string]: JsonValue };

/** What the sandbox gives to every build: its contract's version and the digest of the files it generates. */
export interface SandboxIdentity {
  readonly contract: number;
  readonly generatedFiles: Digest;
}

/**
 * Everything that can change a byte of what a package's build gives, as JSON; its digest is the HASH. Texts for people,
 * `run`, `users`, licence, tests and `check` are not in it.
 */
export function packageInputs(
  definition: ResolvedPackage,
  platform: Platform,
  root: () => readonly Hash[],
  patches: Readonly<Record<string, PatchPin>>,
  sandbox: SandboxIdentity,
): HashInputs {
  const phases: Record<string, string> = {};
  for (const name of PHASE_NAMES) {
    const script = definition.phases[name];
    if (script !== undefined && name !== 'check') phases[name] = script;
  }
  const flags: Record<string, boolean> = {};
  for (const [name, flag] of Object.entries(definition.flags)) if (flag.applies) flags[name] = flag.enabled;
  return {
    format: HASH_FORMAT,
    kind: 'build',
    name: definition.name,
    version: definition.version,
    platform: platformText(platform),
    sources: definition.sources.map(({ sha256, fileName, action, strip, directory, clears }) => ({
      sha256,
      fileName,
      action,
      strip,
      directory,
      ...(clears === undefined ? {} : { clears }),
    })),
    ...(definition.series === undefined ? {} : { series: definition.series }),
    ...(definition.subpackages === undefined
      ? {}
      : { subpackages: definition.subpackages.map(({ name, files }) => ({ name, files })) }),
    ...(definition.capabilities === undefined
      ? {}
      : { capabilities: definition.capabilities.map(({ path, capabilities }) => ({ path, capabilities })) }),
    ...(definition.replacesBase === true ? { base: true } : {}),
    ...(definition.outputs === 'debs' ? { outputs: 'debs', dpkgDatabase: DPKG_DATABASE_VERSION } : {}),
    patches: definition.patches.map((patch) => normalisedDigest(patch, patches)),
    flags,
    phases,
    environment: definition.environment,
    files: definition.files.map(({ path, sha256, executable }) => ({ path, sha256, executable })),
    sandbox: { contract: sandbox.contract, generatedFiles: sandbox.generatedFiles },
    get root() {
      return root();
    },
  };
}

/** The identity of a Debian package's layer: the exact archive and the way it is converted. */
export function debianHash(pin: DebianPin): Hash {
  return digestOfJson({ format: HASH_FORMAT, kind: 'debian', sha256: pin.sha256, converter: DEBIAN_CONVERTER_VERSION });
}

/**
 * The same inputs with every member of the root replaced by what it really contained. Two packages with one build key
 * come out the same, although a dependency has another HASH.
 */
export function buildKey(inputs: HashInputs, rootContents: readonly DiffId[]): Digest {
  return digestOfJson({ ...inputs, kind: 'build-key', root: rootContents });
}

/** The digest of what is applied: of a file known since it was read, of a URL pinned by the lock. */
export function normalisedDigest(patch: PackagePatch, pins: Readonly<Record<string, PatchPin>>): Digest {
  const digest =
    patch.normalisedSha256 ?? (patch.location.kind === 'url' ? pins[patch.location.url]?.normalisedSha256 : undefined);
  if (digest !== undefined) return digest;
  const name = patch.location.kind === 'url' ? patch.location.url : patch.location.shownPath;
  throw new BuilditError('lock-outdated', `Cannot identify the patch "${name}": the lock does not pin it`, {
    hint: 'buildit lock pins every patch by URL',
    position: patch.position,
  });
}
