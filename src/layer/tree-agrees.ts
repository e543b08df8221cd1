import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readlinkSync, type Stats } from 'node:fs';
import type { LayerEntry, LayerListing } from '../model/layer.ts';
import { treeContent } from './tree-content.ts';
import { diskFileMode } from './tree-writer.ts';
import type { LayerFileEntry } from './write-tar.ts';

/** Compares what lies on disk with a listing: names, kinds, modes, times, links, and every byte of every file. */
export async function treeAgrees(directory: string, listing: LayerListing): Promise<boolean> {
  if (countEntries(directory) !== listing.length) return false;
  const readContent = treeContent(directory);
  const inodes = new Map<string, number>();
  for (const entry of listing) {
    const stat = lstatSync(`${directory}/${entry.path}`, { throwIfNoEntry: false });
    if (stat === undefined || Math.floor(stat.mtimeMs / 1000) !== entry.mtime) return false;
    if (!kindAgrees(entry, stat, directory, inodes)) return false;
    if (entry.type === 'file' && (await digestOf(readContent, entry)) !== entry.sha256) return false;
  }
  return true;
}

function kindAgrees(entry: LayerEntry, stat: Stats, directory: string, inodes: Map<string, number>): boolean {
  switch (entry.type) {
    case 'directory':
      return stat.isDirectory() && (stat.mode & 0o7777) === 0o755;
    case 'symlink':
      return stat.isSymbolicLink() && readlinkSync(`${directory}/${entry.path}`) === entry.target;
    case 'file':
      inodes.set(entry.path, stat.ino);
      return stat.isFile() && stat.size === entry.size && (stat.mode & 0o7777) === diskFileMode(entry.mode);
    case 'hardlink':
      return stat.isFile() && stat.ino === inodes.get(entry.target);
  }
}

async function digestOf(read: ReturnType<typeof treeContent>, entry: LayerFileEntry): Promise<string> {
  const content = read(entry);
  const hash = createHash('sha256');
  if (content instanceof Uint8Array) return hash.update(content).digest('hex');
  for await (const chunk of content) hash.update(chunk);
  return hash.digest('hex');
}

function countEntries(directory: string): number {
  let count = 0;
  for (const entry of readdirSync(directory, { withFileTypes: true })) {
    count += 1;
    if (entry.isDirectory()) count += countEntries(`${directory}/${entry.name}`);
  }
  return count;
}
