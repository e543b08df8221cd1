import { lstatSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { MergedTree } from '../../src/image/merge-tree.ts';
import { sha256 } from '../../src/model/digest.ts';

/** What tools agree about when they unpack an image: `path → type mode uid:gid content`. */
export type TreeFacts = Readonly<Record<string, string>>;

/** Facts of a directory that a tool unpacked. */
export function factsOnDisk(directory: string): TreeFacts {
  const facts: Record<string, string> = {};
  const visit = (path: string) => {
    for (const name of readdirSync(join(directory, path))) {
      const child = path === '' ? name : `${path}/${name}`;
      const absolute = join(directory, child);
      const stat = lstatSync(absolute);
      const owner = `${stat.uid}:${stat.gid}`;
      const mode = (stat.mode & 0o7777).toString(8);
      if (stat.isSymbolicLink()) facts[child] = `link ${owner} ${readlinkSync(absolute)}`;
      else if (stat.isDirectory()) {
        facts[child] = `directory ${mode} ${owner}`;
        visit(child);
      } else facts[child] = `file ${mode} ${owner} ${sha256(readFileSync(absolute))}`;
    }
  };
  visit('');
  return facts;
}

/** Facts of a tree as it was computed. */
export function factsComputed({ entries }: MergedTree): TreeFacts {
  const facts: Record<string, string> = {};
  for (const [path, { entry, source }] of entries) {
    const owner = `${entry.uid}:${entry.gid}`;
    const mode = entry.mode.toString(8);
    if (entry.type === 'symlink') facts[path] = `link ${owner} ${entry.target}`;
    else if (entry.type === 'directory') facts[path] = `directory ${mode} ${owner}`;
    else {
      const original = entry.type === 'file' ? entry : source.listing.find((other) => other.path === entry.target);
      facts[path] = `file ${mode} ${owner} ${original?.type === 'file' ? original.sha256 : '?'}`;
    }
  }
  return facts;
}
