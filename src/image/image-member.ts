import { readListing } from '../layer/listing.ts';
import type { KeptLayer, LayerListing } from '../model/layer.ts';
import type { DebianPin } from '../model/lock.ts';
import type { PackageUser, ResolvedPackage } from '../model/package.ts';
import type { Hash } from '../model/package-hash.ts';
import type { PackageRecord } from '../model/record.ts';
import type { Store } from '../store/store.ts';

/** A package that may enter an image, with what its build or conversion gave. */
export type ImageCandidate =
  | {
      readonly kind: 'build';
      /** The build's, for the package itself; `partHash` for a sub-package. */
      readonly hash: Hash;
      /** The sub-package it is; undefined for the package itself. */
      readonly part?: string | undefined;
      readonly package: ResolvedPackage;
      /** Its `main` output is what enters the image. */
      readonly record: PackageRecord;
    }
  | {
      readonly kind: 'debian';
      readonly hash: Hash;
      readonly pin: DebianPin;
      readonly record: PackageRecord;
      /** Built here from its source package: the build's HASH and definition. */
      readonly built?: { readonly hash: Hash; readonly package: ResolvedPackage } | undefined;
    };

/** A package an image holds. `users` and `license` are the definition's at hand, never a record's. */
export interface SelectedMember {
  /** `www-servers/nginx`, `debian/libc6`. */
  readonly name: string;
  readonly version: string;
  readonly kind: 'build' | 'debian';
  readonly hash: Hash;
  readonly layer: KeptLayer;
  /** Seconds. */
  readonly sourceDate: number;
  /** SPDX expression where the definition gives one. */
  readonly license: string | undefined;
  readonly users: readonly PackageUser[];
}

export interface ImageMember extends SelectedMember {
  readonly listing: LayerListing;
}

export function candidateName(candidate: ImageCandidate): string {
  if (candidate.kind === 'debian') return `debian/${candidate.pin.name}`;
  return candidate.part === undefined ? candidate.package.name : `${candidate.package.name}:${candidate.part}`;
}

/** Reads the listings of what was selected; the result is all that assembling needs to know of a package. */
export async function loadMembers(store: Store, selected: readonly SelectedMember[]): Promise<ImageMember[]> {
  return Promise.all(
    selected.map(async (member) => ({ ...member, listing: await readListing(store, member.layer.listing) })),
  );
}
