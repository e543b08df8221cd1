import type { DebianSourcePin } from '../model/lock.ts';
import type { PackageSource } from '../model/package.ts';

/**
 * The order in which dpkg-source(1) unpacks: upstream's archive, its components below directories of their names, then
 * Debian's files in place of a `debian` that upstream has, or Debian's diff.
 */
export function debianSources(pin: Pick<DebianSourcePin, 'name' | 'format' | 'files'>): PackageSource[] {
  const files = pin.files.map(({ path, sha256 }) => ({ fileName: path.slice(path.lastIndexOf('/') + 1), sha256 }));
  const source = (
    file: (typeof files)[number],
    layout: Pick<PackageSource, 'action' | 'strip'> & Partial<PackageSource>,
  ) => ({
    location: {
      kind: 'remote' as const,
      urls: [],
      mirrors: [{ kind: 'debian' as const, sourcePackage: pin.name }],
    },
    directory: '.',
    isDebian: true as const,
    ...file,
    ...layout,
  });
  const matching = (pattern: RegExp) => files.filter(({ fileName }) => pattern.test(fileName));
  if (pin.format === '3.0 (native)' || matching(/\.orig\.tar\./).length === 0) {
    return matching(/\.tar\.(?:gz|xz|bz2|lzma)$/).map((file) => source(file, { action: 'unpack', strip: 1 }));
  }
  const components = matching(/\.orig-[A-Za-z0-9-]+\.tar\./);
  return [
    ...matching(/\.orig\.tar\./).map((file) => source(file, { action: 'unpack', strip: 1 })),
    ...components.map((file) => {
      const directory = /\.orig-([A-Za-z0-9-]+)\.tar\./.exec(file.fileName)![1]!;
      return source(file, { action: 'unpack', strip: 1, directory, clears: directory });
    }),
    ...matching(/\.debian\.tar\./).map((file) => source(file, { action: 'unpack', strip: 0, clears: 'debian' })),
    ...matching(/\.diff\.gz$/).map((file) => source(file, { action: 'patch', strip: 1 })),
  ];
}
