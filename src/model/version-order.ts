import { compareDebianVersions, DEBIAN_ORDER } from './debian-order.ts';
import { GENTOO_ORDER } from './gentoo-order.ts';
import { LOOSE_ORDER } from './loose-order.ts';
import { SEMVER_ORDER } from './semver-order.ts';
import type { VersionOrder, VersionScheme } from './version-scheme.ts';

export { compareDebianVersions };

const ORDERS: Readonly<Record<VersionScheme, VersionOrder>> = {
  debian: DEBIAN_ORDER,
  gentoo: GENTOO_ORDER,
  loose: LOOSE_ORDER,
  semver: SEMVER_ORDER,
};

export function versionOrder(scheme: VersionScheme): VersionOrder {
  return ORDERS[scheme];
}

/** Negative, zero or positive, by the rules of the scheme; `loose` suits versions of upstream projects. */
export function compareVersions(a: string, b: string, scheme: VersionScheme = 'loose'): number {
  return ORDERS[scheme].compare(a, b);
}
