import { createHash } from 'node:crypto';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { gunzipSync } from 'node:zlib';
import type { Person } from './place.ts';

/** What identifies each image of a container: manifest digests by tag, ACI image IDs by file name. */
export type ImageDigests = Readonly<Record<string, string>>;

interface Descriptor {
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
}

interface Manifest {
  readonly config: Descriptor;
  readonly layers: readonly Descriptor[];
}

/** Reads what lies in `out/` with nothing of buildit, and verifies every blob of every image on the way. */
export function imageDigests({ container }: Pick<Person, 'container'>): ImageDigests {
  const out = join(container, 'out');
  const digests: Record<string, string> = {};
  for (const name of readdirSync(out)) {
    if (name === 'oci') Object.assign(digests, ociDigests(join(out, name)));
    else if (name.endsWith('.aci')) digests[name] = imageId(join(out, name));
    else throw new Error(`Nothing should be called out/${name}`);
  }
  return digests;
}

function ociDigests(layout: string): ImageDigests {
  const { manifests } = JSON.parse(readFileSync(join(layout, 'index.json'), 'utf8')) as {
    readonly manifests: readonly Descriptor[];
  };
  return Object.fromEntries(
    manifests.map((descriptor) => {
      const manifest = JSON.parse(readBlob(layout, descriptor).toString()) as Manifest;
      for (const part of [manifest.config, ...manifest.layers]) readBlob(layout, part);
      return [descriptor.annotations?.['org.opencontainers.image.ref.name'] ?? '', descriptor.digest];
    }),
  );
}

function readBlob(layout: string, { digest, size }: Descriptor): Buffer {
  const bytes = readFileSync(join(layout, 'blobs', digest.replace(':', '/')));
  if (`sha256:${hashOf('sha256', bytes)}` !== digest || bytes.length !== size) {
    throw new Error(`The blob ${digest} of ${layout} is not what it is called`);
  }
  return bytes;
}

/** appc: the sha512 of the uncompressed archive. */
function imageId(path: string): string {
  return `sha512-${hashOf('sha512', gunzipSync(readFileSync(path)))}`;
}

/** Every file and directory below a directory, with its mode and what is in it. */
export function filesBelow(directory: string): Readonly<Record<string, string>> {
  const files: Record<string, string> = {};
  const visit = (path: string) => {
    const stat = lstatSync(path);
    const mode = (stat.mode & 0o7777).toString(8);
    if (stat.isDirectory()) for (const name of readdirSync(path)) visit(join(path, name));
    files[relative(directory, path)] = stat.isFile() ? `${mode} ${hashOf('sha256', readFileSync(path))}` : mode;
  };
  visit(directory);
  return files;
}

function hashOf(algorithm: string, bytes: Uint8Array): string {
  return createHash(algorithm).update(bytes).digest('hex');
}
