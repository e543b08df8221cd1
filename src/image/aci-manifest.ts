import type { JsonValue } from '../model/canonical-json.ts';
import { BuilditError, throwCollected } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { Platform } from '../model/platform.ts';
import type { SourcePosition } from '../model/source-position.ts';
import { compareVersions } from '../model/version-order.ts';
import { checkAciApp } from './aci-app.ts';
import { AC_IDENTIFIER, AC_NAME, AciChecker, type JsonObject } from './aci-checker.ts';
import { JsonFault, parseStrictJson } from './strict-json.ts';

export interface AciManifestContext {
  readonly platform: Platform;
  /** Of the manifest's text in container.yaml. */
  readonly position: SourcePosition;
  /** Whether the image can run something as this user or group: a name, a number or an absolute path. */
  hasUser(text: string): boolean;
  hasGroup(text: string): boolean;
}

/** What buildit itself needs to know of a manifest. */
export interface AciManifest {
  readonly name: string;
  readonly acVersion: string;
  readonly os: string;
  readonly arch: string;
}

/** Releases of the App Container specification whose image manifests are alike enough for the rules here. */
const OLDEST = '0.6.0';
const NEWEST = '0.8.11';

/** appc's word for a platform, which the archive's name carries too. */
export function aciArchitecture({ architecture }: Platform): string {
  return architecture === 'arm64' ? 'aarch64' : architecture;
}

/**
 * Reads an image manifest and holds it against the rules of its own acVersion (appc spec/aci.md and spec/types.md, with
 * the changes its CHANGELOG.md tells). All violations are thrown together, each with its JSON pointer.
 */
export function parseAciManifest(text: string, context: AciManifestContext): AciManifest {
  const { value, lines } = parseText(text, context.position);
  const checker = new AciChecker(versionOf(value));
  const manifest = checker.object('', value, {
    required: ['acKind', 'acVersion', 'name'],
    optional: ['labels', 'app', 'dependencies', 'pathWhitelist', 'annotations'],
  });
  checkHead(checker, manifest);
  const labels = checkLabels(checker, '/labels', manifest.labels);
  checkPlatform(checker, labels, context.platform);
  if (manifest.app !== undefined) checkAciApp(checker, manifest.app, context);
  checkDependencies(checker, manifest.dependencies);
  checkWhitelist(checker, manifest.pathWhitelist);
  checkAnnotations(checker, manifest.annotations);
  throwCollected(
    checker.violations
      .slice(0, MOST_VIOLATIONS)
      .map(
        ({ pointer, message }) =>
          new BuilditError(
            'definition-invalid',
            `Cannot use the ACI manifest: ${pointer === '' ? 'it' : `${printable(pointer)} (line ${lines.get(pointer) ?? lines.get(parentOf(pointer)) ?? 1})`} ${message}`,
            { position: context.position },
          ),
      ),
  );
  return {
    name: String(manifest.name),
    acVersion: checker.version,
    os: labels.get('os') ?? context.platform.os,
    arch: labels.get('arch') ?? aciArchitecture(context.platform),
  };
}

/** A manifest with more is no manifest; each is an error with its own text, and half a megabyte holds 170,000. */
const MOST_VIOLATIONS = 100;

function parseText(text: string, position: SourcePosition) {
  try {
    return parseStrictJson(text);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    throw new BuilditError(
      'definition-invalid',
      `Cannot read the ACI manifest as JSON: ${printable(error.message)} (line ${error.line} of the manifest)`,
      { position },
    );
  }
}

/** Rules depend on it, so it is read before anything is checked. */
function versionOf(manifest: JsonValue): string {
  const version = isObject(manifest) ? manifest.acVersion : undefined;
  return typeof version === 'string' && isKnownVersion(version) ? version : NEWEST;
}

function isKnownVersion(version: string): boolean {
  return (
    /^(0|[1-9][0-9]*)(\.(0|[1-9][0-9]*)){2}$/.test(version) &&
    compareVersions(version, OLDEST) >= 0 &&
    compareVersions(version, NEWEST) <= 0
  );
}

function checkHead(checker: AciChecker, manifest: JsonObject): void {
  const { acKind, acVersion, name } = manifest;
  if (acKind !== undefined && acKind !== 'ImageManifest') checker.expected('/acKind', '"ImageManifest"', acKind);
  if (acVersion !== undefined && !(typeof acVersion === 'string' && isKnownVersion(acVersion))) {
    checker.expected('/acVersion', `a version of the specification from ${OLDEST} to ${NEWEST}`, acVersion);
  }
  if (name !== undefined) checker.matching('/name', name, AC_IDENTIFIER, 'an AC identifier such as example.com/app');
}

function checkLabels(checker: AciChecker, pointer: string, value: JsonValue | undefined): Map<string, string> {
  const labels = checker.namedValues(pointer, value, AC_IDENTIFIER);
  if (labels.has('name')) checker.violate(pointer, 'must not have a label called "name"');
  return labels;
}

function checkPlatform(checker: AciChecker, labels: ReadonlyMap<string, string>, platform: Platform): void {
  const os = labels.get('os');
  const arch = labels.get('arch');
  if (os === undefined && arch !== undefined)
    checker.violate('/labels', 'must have the label "os" where it has "arch"');
  if (os !== undefined && os !== platform.os)
    checker.violate('/labels', `must say os ${platform.os}, and says ${printable(os)}`);
  const expected = aciArchitecture(platform);
  if (arch === undefined || arch === expected) return;
  const hint = arch === platform.architecture ? ` (appc's name for ${arch})` : '';
  checker.violate('/labels', `must say arch ${expected}${hint}, and says ${printable(arch)}`);
}

function checkDependencies(checker: AciChecker, value: JsonValue | undefined): void {
  checker.list('/dependencies', value).forEach((item, index) => {
    const pointer = `/dependencies/${index}`;
    const { imageName, imageID, labels, size } = checker.object(pointer, item, {
      required: ['imageName'],
      optional: ['imageID', 'labels', 'size'],
    });
    if (imageName !== undefined) checker.matching(`${pointer}/imageName`, imageName, AC_IDENTIFIER, 'an AC identifier');
    if (imageID !== undefined) {
      checker.matching(`${pointer}/imageID`, imageID, /^sha512-[0-9a-f]{128}$/, 'sha512- and 128 hexadecimal digits');
    }
    if (size !== undefined) checker.integer(`${pointer}/size`, size, 0, Number.MAX_SAFE_INTEGER);
    checkLabels(checker, `${pointer}/labels`, labels);
  });
}

function checkWhitelist(checker: AciChecker, value: JsonValue | undefined): void {
  checker.list('/pathWhitelist', value).forEach((path, index) => {
    checker.matching(`/pathWhitelist/${index}`, path, /^\//, 'an absolute path');
  });
}

/** 0.6.1 opened the names of annotations to DNS names. */
function checkAnnotations(checker: AciChecker, value: JsonValue | undefined): void {
  const annotations = checker.namedValues('/annotations', value, checker.isBefore('0.6.1') ? AC_NAME : AC_IDENTIFIER);
  const created = annotations.get('created');
  if (created !== undefined && !isTimestamp(created)) {
    checker.violate('/annotations', `must have "created" as RFC 3339 has it, and has ${JSON.stringify(created)}`);
  }
  for (const name of ['homepage', 'documentation']) {
    const url = annotations.get(name);
    if (url === undefined || (/^https?:\/\//.test(url) && URL.canParse(url))) continue;
    checker.violate('/annotations', `must have "${name}" as an http or https URL, and has ${JSON.stringify(url)}`);
  }
}

/** RFC 3339 section 5.6, with a T between date and time. */
function isTimestamp(text: string): boolean {
  const pattern =
    /^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])T([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
  return pattern.test(text);
}

function isObject(value: JsonValue): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function parentOf(pointer: string): string {
  return pointer.slice(0, Math.max(0, pointer.lastIndexOf('/')));
}
