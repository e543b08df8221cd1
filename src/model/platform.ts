/** A platform in the words of OCI (and Go): `linux/amd64`. */
export interface Platform {
  readonly os: 'linux';
  readonly architecture: 'amd64' | 'arm64';
}

export function platformText({ os, architecture }: Platform): string {
  return `${os}/${architecture}`;
}

/** The multiarch triplet of a Debian architecture, as in /usr/lib/TRIPLET. */
export function multiarchTriplet({ architecture }: Platform): string {
  return architecture === 'amd64' ? 'x86_64-linux-gnu' : 'aarch64-linux-gnu';
}
