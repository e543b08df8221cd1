import { join } from 'node:path';
import { mapsAt, scalarAt } from '../document/fields.ts';
import { shownPath } from '../document/read-document.ts';
import { readText } from '../document/read-text.ts';
import { resolveInside } from '../document/resolve-inside.ts';
import { nodeAt, type YamlMap, type YamlNode } from '../document/yaml-node.ts';
import type { Digest } from '../model/digest.ts';
import type { PackageSource, RecipeFile } from '../model/package.ts';
import { ECOSYSTEMS, type Ecosystem, vendorDirectory } from '../model/registry.ts';
import { parseVendorLock, VENDOR_LOCK_FILE, type VendoredFile, type VendorLock } from '../model/vendor-lock.ts';
import { acceptInsidePath } from './checked-text.ts';
import { readRecipeFiles } from './recipe-files.ts';
import type { RecipeReading } from './recipe-reading.ts';

/** A language's lock file that a recipe names: beside it in `files/`, or inside its main source. */
export interface VendorRequest {
  readonly ecosystem: Ecosystem;
  readonly lock:
    | { readonly kind: 'file'; readonly file: RecipeFile }
    | { readonly kind: 'source'; readonly path: string };
  /** What the lock file's content depends on: its own digest, or that of the main source. */
  readonly from: Digest;
}

/** What each ecosystem calls its lock file. */
const LOCK_NAMES: Readonly<Record<Ecosystem, string>> = {
  cargo: 'Cargo.lock',
  go: 'go.sum',
  npm: 'package-lock.json',
  python: 'requirements.txt',
};
const MAXIMUM_BYTES = 16 * 1024 * 1024;

/**
 * The files of a recipe's `vendor` lock files at one version, as vendor.lock pins them, as sources that lie where each
 * language's own tool looks for them. A vendor.lock that was made from something else is a complaint.
 */
export async function resolveVendor(
  reading: RecipeReading,
  version: string,
  sources: readonly PackageSource[],
): Promise<readonly PackageSource[]> {
  const requests = await readVendorRequests(reading, sources);
  const node = nodeAt(reading.root, 'vendor');
  if (node === undefined || requests.length === 0) return [];
  const lock = await readVendorLock(reading, node);
  if (lock === undefined) return [];
  const found = lock.get(version);
  const outdated = requests.find(({ ecosystem, from }) => found?.from[ecosystem] !== from);
  const odd = Object.keys(found?.from ?? {}).length !== requests.length;
  if (found === undefined || outdated !== undefined || odd) {
    const what = found === undefined ? 'none' : 'one that was made from another lock file or source';
    reading.problems.add(node, `Cannot use "vendor": expected vendor.lock to pin version ${version}, found ${what}`, {
      code: 'lock-outdated',
      hint: lockHint(reading),
    });
    return [];
  }
  return found.files.map(vendoredSource);
}

function vendoredSource({ artefact, sha256, size }: VendoredFile): PackageSource {
  return {
    location: { kind: 'registry', artefact, size },
    sha256,
    fileName: artefact.fileName,
    action: 'keep',
    strip: 1,
    directory: vendorDirectory(artefact),
  };
}

/** The lock files that a recipe names; complains about those that are not there. */
export async function readVendorRequests(
  reading: RecipeReading,
  sources: readonly PackageSource[],
): Promise<readonly VendorRequest[]> {
  const requests: VendorRequest[] = [];
  for (const map of mapsAt(reading.root, 'vendor')) {
    const request = await readRequest(reading, map, sources[0]);
    if (request === undefined) continue;
    if (requests.some(({ ecosystem }) => ecosystem === request.ecosystem)) {
      reading.problems.add(map, `Cannot use "vendor": expected each ecosystem once, found ${request.ecosystem} again`);
      continue;
    }
    requests.push(request);
  }
  return requests;
}

async function readRequest(
  reading: RecipeReading,
  map: YamlMap,
  main: PackageSource | undefined,
): Promise<VendorRequest | undefined> {
  const { problems } = reading;
  const node = scalarAt(map, 'ecosystem');
  const ecosystem = ECOSYSTEMS.find((known) => known === node?.text);
  if (ecosystem === undefined) return undefined;
  const [file, inSource] = [scalarAt(map, 'file'), scalarAt(map, 'lock')];
  if (file !== undefined && inSource !== undefined) {
    problems.add(file, 'Cannot read "vendor": expected one of "lock" and "file", found both');
    return undefined;
  }
  if (file !== undefined) {
    const path = acceptInsidePath(reading.rendered(file), { label: 'vendor.file', problems });
    const found = path && (await readRecipeFiles(reading)).find((one) => `files/${one.path}` === path);
    if (path === undefined) return undefined;
    if (found === undefined || found === '') {
      problems.add(file, `Cannot use "${path}" as "vendor.file": expected a file below files/, found none`, {
        code: 'file-missing',
      });
      return undefined;
    }
    return { ecosystem, lock: { kind: 'file', file: found }, from: found.sha256 };
  }
  const path =
    inSource === undefined
      ? LOCK_NAMES[ecosystem]
      : acceptInsidePath(reading.rendered(inSource), { label: 'vendor.lock', problems });
  if (path === undefined) return undefined;
  if (main === undefined) {
    problems.add(map, `Cannot look for "${path}": expected a main source that holds it, found none`, {
      hint: 'name a lock file beside the recipe with "file"',
    });
    return undefined;
  }
  return { ecosystem, lock: { kind: 'source', path }, from: main.sha256 };
}

/** The vendor.lock beside a recipe; complains and returns undefined where there is none. */
async function readVendorLock(reading: RecipeReading, node: YamlNode): Promise<VendorLock | undefined> {
  const { directory, problems, witness } = reading;
  const path = join(directory, VENDOR_LOCK_FILE);
  const found = await resolveInside(directory, VENDOR_LOCK_FILE);
  if (found.kind !== 'file') {
    witness?.missing(path);
    problems.add(node, `Cannot use "vendor": expected ${VENDOR_LOCK_FILE} beside pkg.yaml, found none`, {
      code: 'lock-outdated',
      hint: lockHint(reading),
    });
    return undefined;
  }
  witness?.read(path);
  const name = shownPath(path);
  const options = { name, maximumBytes: MAXIMUM_BYTES, code: 'definition-invalid', witness } as const;
  try {
    return parseVendorLock((await readText(found.path, options)).text, name);
  } catch (error) {
    problems.addError(node, error);
    return undefined;
  }
}

function lockHint({ directory }: RecipeReading): string {
  return `buildit lock --vendor ${shownPath(directory)}`;
}
