import { multiarchTriplet } from '../../model/platform.ts';

/** The multiarch triplet of `linux/amd64`; its first word is what ELF files for that platform say. */
export function machineTriplet(platform: string): string {
  return multiarchTriplet({ os: 'linux', architecture: platform === 'linux/arm64' ? 'arm64' : 'amd64' });
}

/** `x86_64` for linux/amd64. */
export function machineOf(platform: string): string {
  return machineTriplet(platform).split('-', 1)[0]!;
}
