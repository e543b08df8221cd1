import type { YamlNode } from '../document/yaml-node.ts';
import type { Recipe } from './recipe.ts';
import { isWantedVersion, type WantedVersion, wantedVersionText } from './wanted-version.ts';

/** That somebody wants certain versions of a package only. */
export interface VersionDemand {
  /** The package, `category/name`. */
  readonly name: string;
  readonly wanted: WantedVersion;
  /** `the container`, or the `category/name` of the package whose dependency it is. */
  readonly by: string;
  /** The version of that package; undefined for the container, which always wants it. */
  readonly byVersion: string | undefined;
  /** Where it is written. */
  readonly node: YamlNode;
}

/** Two demands with one key are one demand. */
export function demandKey({ name, wanted, by, byVersion }: VersionDemand): string {
  return JSON.stringify([name, wanted.kind, wantedVersionText(wanted), by, byVersion]);
}

/** `www-servers/nginx needs ~1.26`. */
export function demandText({ by, wanted }: VersionDemand): string {
  return `${by} needs ${wantedVersionText(wanted)}`;
}

/** The versions of a recipe that a demand allows, newest first. */
export function allowedVersions({ versions, scheme }: Recipe, { wanted }: VersionDemand): readonly string[] {
  return versions.filter((version) => isWantedVersion(wanted, version, scheme));
}

/** Demands of which each leaves some version that those before it allow too, what they leave, and the others. */
export interface MetDemands {
  /** Newest first. */
  readonly versions: readonly string[];
  readonly met: readonly VersionDemand[];
  readonly unmet: readonly VersionDemand[];
}

export function meetDemands(
  recipe: Recipe,
  demands: readonly VersionDemand[],
  among: readonly string[] = recipe.versions,
): MetDemands {
  let versions = among;
  const [met, unmet]: [VersionDemand[], VersionDemand[]] = [[], []];
  for (const demand of demands) {
    const left = versions.filter((version) => isWantedVersion(demand.wanted, version, recipe.scheme));
    if (left.length > 0) versions = left;
    (left.length > 0 ? met : unmet).push(demand);
  }
  return { versions, met, unmet };
}
