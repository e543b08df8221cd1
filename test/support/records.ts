import { sha256 } from '../../src/model/digest.ts';
import type { KeptLayer } from '../../src/model/layer.ts';
import { type PackageRecord, RECORD_FORMAT } from '../../src/model/record.ts';

/** A record of a package of this name, whose HASH, build key and layer are digests of the name, with changes to it. */
export function recordOf(name: string, changes: Partial<PackageRecord> = {}): PackageRecord {
  return {
    format: RECORD_FORMAT,
    kind: 'build',
    hash: sha256(`hash of ${name}`),
    buildKey: sha256(`build key of ${name}`),
    name,
    version: '1.0',
    platform: 'linux/amd64',
    outputs: { main: layerOf(name) },
    sources: [],
    patches: [],
    sourceDate: 1_700_000_000,
    builder: 'test',
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:00:01.000Z',
    log: undefined,
    ...changes,
  };
}

export function layerOf(name: string): KeptLayer {
  return { diffId: sha256(`diffId of ${name}`), size: 1024, listing: sha256(`listing of ${name}`), elf: [] };
}
