import { copyrightLicense } from './copyright-license.ts';
import type { ImageMember } from './image-member.ts';
import { combinedLicense, type License, parseLicense } from './license-expression.ts';
import type { ImageContent } from './prepare-content.ts';
import { resolveInTree } from './tree-path.ts';
import { type ReadTreeFile, treeReader } from './tree-reader.ts';

/**
 * The license of an image: an SPDX expression over all packages in it, by their recipes and by Debian's copyright files.
 * Undefined where the license of one is unknown. Files of the container's own steps are the user's to know.
 */
export async function imageLicense(content: ImageContent): Promise<string | undefined> {
  const read = treeReader(content.tree, content.layers);
  const licenses: License[] = [];
  for (const member of content.members) {
    const license = await memberLicense(content, member, read);
    if (license === undefined) return undefined;
    licenses.push(license);
  }
  return combinedLicense(licenses);
}

async function memberLicense(
  { tree }: ImageContent,
  { name, license }: ImageMember,
  read: ReadTreeFile,
): Promise<License | undefined> {
  if (license !== undefined) return parseLicense(license);
  if (!name.startsWith('debian/')) return undefined;
  const path = `/usr/share/doc/${name.slice(name.indexOf('/') + 1)}/copyright`;
  const resolved = resolveInTree((other) => tree.entries.get(other)?.entry, path, { followLast: true });
  const entry = resolved.kind === 'path' ? tree.entries.get(resolved.path) : undefined;
  if (entry === undefined || (entry.entry.type !== 'file' && entry.entry.type !== 'hardlink')) return undefined;
  return copyrightLicense(await read(entry.entry.path));
}
