import { isVersion } from '../model/names.ts';
import type { Atom } from '../model/package.ts';
import { parseRange, rangeAllows, type VersionRange } from '../model/version-range.ts';
import type { VersionScheme } from '../model/version-scheme.ts';

/** What is asked of a package's version: one exactly as it is written, or any of a range. */
export type WantedVersion =
  | { readonly kind: 'exact'; readonly version: string }
  | { readonly kind: 'range'; readonly range: VersionRange };

/** Reads what stands behind `version:`, undefined where it is neither a version nor a range. */
export function parseWantedVersion(text: string): WantedVersion | undefined {
  if (isVersion(text)) return { kind: 'exact', version: text };
  const range = parseRange(text);
  return range && { kind: 'range', range };
}

/** What an atom asks for; undefined where any version will do. */
export function wantedVersionOf({ version, range }: Atom): WantedVersion | undefined {
  if (version !== undefined) return { kind: 'exact', version };
  return range && { kind: 'range', range };
}

export function wantedVersionText(wanted: WantedVersion): string {
  return wanted.kind === 'exact' ? wanted.version : wanted.range.text;
}

export function isWantedVersion(wanted: WantedVersion, version: string, scheme: VersionScheme): boolean {
  return wanted.kind === 'exact' ? wanted.version === version : rangeAllows(wanted.range, version, scheme);
}
