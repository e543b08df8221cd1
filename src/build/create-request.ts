import type { BuildLimits, BuildRequest } from '../model/build-request.ts';
import type { Digest } from '../model/digest.ts';
import type { DiffId } from '../model/layer.ts';
import type { PackagePatch } from '../model/package.ts';
import { PHASE_NAMES } from '../model/package.ts';
import type { BuildStep } from '../model/plan.ts';
import { type Platform, platformText } from '../model/platform.ts';

export interface RequestSetting {
  readonly platform: Platform;
  /** Contents of the root's members, in the order of `step.root`. */
  readonly root: readonly DiffId[];
  readonly packingRoot: readonly DiffId[];
  /** The digest of each patch as it is applied. */
  normalisedDigest(patch: PackagePatch): Digest;
  readonly limits: BuildLimits;
  readonly jobs: number;
  /** Runs upstream's own tests after the install. */
  readonly check: boolean;
}

/** Turns a planned step into the plain data an executor needs. Pure. */
export function createBuildRequest(step: BuildStep, setting: RequestSetting): BuildRequest {
  const { sources, series, patches, files, phases, environment } = step.package;
  return {
    format: 1,
    hash: step.hash,
    name: step.name,
    version: step.version,
    platform: platformText(setting.platform),
    root: setting.root,
    packingRoot: setting.packingRoot,
    sources: sources.map(({ sha256, fileName, action, strip, directory, clears, isUndecided, isDebian }) => ({
      digest: sha256,
      fileName,
      action,
      strip,
      directory,
      ...(clears === undefined ? {} : { clears }),
      ...(isUndecided === undefined ? {} : { isUndecided }),
      ...(isDebian === undefined ? {} : { isDebian }),
    })),
    ...(series === undefined ? {} : { series }),
    patches: patches.map((patch) => ({ digest: setting.normalisedDigest(patch), label: patchLabel(patch) })),
    files: files.map(({ path, sha256, executable }) => ({ path, digest: sha256, executable })),
    environment,
    phases: PHASE_NAMES.flatMap((name) => {
      const script = phases[name];
      return script === undefined || (name === 'check' && !setting.check) ? [] : [{ name, script }];
    }),
    jobs: setting.jobs,
    limits: setting.limits,
  };
}

function patchLabel({ location }: PackagePatch): string {
  return location.kind === 'url' ? location.url : location.shownPath;
}
