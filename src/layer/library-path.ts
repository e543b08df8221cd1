import { multiarchTriplet, type Platform } from '../model/platform.ts';

/**
 * Directories of a layer that the dynamic linker of Debian's glibc looks in, in its order, as canonical layer paths. What
 * /etc/ld.so.conf adds on a Debian system is among them.
 */
export function libraryDirectories(platform: Platform): readonly string[] {
  const triplet = multiarchTriplet(platform);
  return [`usr/local/lib`, `usr/local/lib/${triplet}`, `usr/lib/${triplet}`, 'usr/lib', 'usr/lib64'];
}
