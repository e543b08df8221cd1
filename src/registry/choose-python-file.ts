import { BuilditError } from '../model/errors.ts';
import { acceptArtefact } from '../model/registry.ts';
import type { LockedArtefact, PythonRequirement } from './locked-artefact.ts';
import type { IndexedFile } from './simple-index.ts';

/**
 * The file of a requirement: of those that the index lists with one of its hashes the source archive, else a wheel for
 * every platform. Wheels with compiled code are not taken: nobody could rebuild them.
 */
export function choosePythonFile(requirement: PythonRequirement, files: readonly IndexedFile[]): LockedArtefact {
  const { name, version, digests } = requirement;
  const pinned = files.filter(({ sha256 }) => sha256 !== undefined && digests.includes(sha256));
  const isSource = ({ fileName }: IndexedFile) => /\.(?:tar\.gz|zip)$/.test(fileName);
  const chosen = pinned.find(isSource) ?? pinned.find(({ fileName }) => fileName.endsWith('-none-any.whl'));
  const artefact = chosen && acceptArtefact({ ecosystem: 'python', name, version, fileName: chosen.fileName });
  if (chosen?.sha256 !== undefined && artefact !== undefined) {
    return { artefact, checksum: { kind: 'sha256', hex: chosen.sha256 } };
  }
  const found = pinned.map(({ fileName }) => fileName);
  throw new BuilditError(
    'input-invalid',
    `Cannot choose a file of "${name}" ${version}: expected a source archive or a wheel for every platform with one of its hashes, found ${found.length === 0 ? 'none' : found.slice(0, 5).join(', ')}`,
  );
}
