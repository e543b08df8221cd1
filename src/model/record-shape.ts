import { isDigest } from './digest.ts';
import {
  isCount,
  isNumber,
  isText,
  listOf,
  mapOf,
  objectOf,
  oneOf,
  optional,
  type Shape,
  textThat,
} from './json-shape.ts';
import type { KeptLayer } from './layer.ts';
import { type PackageRecord, RECORD_FORMAT } from './record.ts';

const isDigestText = textThat(isDigest);
const isTexts = listOf(isText);

/** A layer as a document holds it. */
export const isKeptLayer = objectOf({
  diffId: isDigestText,
  size: isCount,
  listing: isDigestText,
  elf: listOf(
    objectOf({
      path: isText,
      machine: isText,
      soname: optional(isText),
      interpreter: optional(isText),
      needed: listOf(objectOf({ soname: isText, versions: isTexts })),
      defines: isTexts,
      runPaths: isTexts,
    }),
  ),
}) as Shape<KeptLayer>;

/** A record of the present format as a document holds it. */
export const isPackageRecord = objectOf({
  format: oneOf(RECORD_FORMAT),
  kind: oneOf('build', 'debian'),
  hash: isDigestText,
  buildKey: optional(isDigestText),
  name: isText,
  version: isText,
  platform: isText,
  outputs: mapOf(isKeptLayer),
  sources: listOf(isDigestText),
  patches: listOf(isDigestText),
  sourceDate: isNumber,
  builder: isText,
  startedAt: isText,
  finishedAt: isText,
  log: optional(isDigestText),
}) as unknown as Shape<PackageRecord>;
