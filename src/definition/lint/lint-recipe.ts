import { closestName } from '../../document/closest-name.ts';
import { mapAt, mapsAt, scalarAt, textAt } from '../../document/fields.ts';
import { memberOf, nodeAt, type YamlMap, type YamlNode, type YamlScalar } from '../../document/yaml-node.ts';
import { PHASE_NAMES } from '../../model/package.ts';
import { type DefinitionFinding, type StyleCode, styleFinding } from './definition-finding.ts';
import { type LicenseProblem, licenseProblems } from './license-expression.ts';
import { lintVersions } from './lint-versions.ts';
import { SPDX_EXCEPTIONS, SPDX_LICENSES } from './spdx-identifiers.ts';

/** Judges what a pkg.yaml says, beside the file of its class, beyond what reading it refuses. A derivation takes most of it from its base. */
export function lintRecipe(root: YamlMap, ofClass: YamlMap | undefined): readonly DefinitionFinding[] {
  if (memberOf(root, 'base') !== undefined) return lintAllowances(root);
  return [
    ...lintTexts(root),
    ...lintLicense(scalarAt(root, 'license')),
    ...lintVersions(root),
    ...lintFlags(root),
    ...lintPhases(root, mapAt(ofClass, 'phases')),
    ...lintAllowances(root),
  ];
}

/** What everybody wants to know of a package. One without a source has no home. */
function lintTexts(root: YamlMap): readonly DefinitionFinding[] {
  const place = memberOf(root, 'name')?.key ?? root;
  const lacks = (key: string) => nodeAt(root, key) === undefined;
  const missing = (code: StyleCode, key: string, hint: string) =>
    lacks(key) ? [styleFinding(code, place, `expected "${key}", found none`, { hint })] : [];
  const homepage = scalarAt(root, 'homepage');
  const isInsecure = homepage !== undefined && /^http:/i.test(homepage.text);
  return [
    ...missing('missing-description', 'description', 'one line for people: description: Small, powerful HTTP server'),
    ...(lacks('source') ? [] : missing('missing-homepage', 'homepage', 'where its makers tell of it')),
    ...missing('missing-license', 'license', 'an SPDX expression: license: BSD-2-Clause'),
    ...(mapsAt(root, 'test').length > 0
      ? []
      : missing('missing-test', 'test', 'a command that tries the package: test: [{run: [/usr/bin/NAME, --version]}]')),
    ...(isInsecure
      ? [styleFinding('insecure-homepage', homepage, `expected an https URL, found "${homepage.text}"`)]
      : []),
  ];
}

function lintLicense(node: YamlScalar | undefined): readonly DefinitionFinding[] {
  if (node === undefined) return [];
  return licenseProblems(node.text).map((problem) => {
    const { kind, word } = problem;
    const offset = node.style === 'block' ? 0 : Math.max(0, node.document.text.indexOf(word, node.start) - node.start);
    const code = kind === 'deprecated' ? 'deprecated-license' : 'unknown-license';
    return styleFinding(code, node, `Cannot read "license": ${licenseMessage(problem)}`, {
      offset: node.start + offset < node.end ? offset : 0,
      hint: licenseHint(problem),
    });
  });
}

function licenseMessage({ kind, word }: LicenseProblem): string {
  switch (kind) {
    case 'deprecated':
      return `"${word}" is an old identifier of SPDX`;
    case 'misplaced':
      return `expected an SPDX expression such as MIT OR Apache-2.0, found ${word === '' ? 'its end' : `"${word}" there`}`;
    case 'unknown':
      return `expected an identifier of the SPDX list, found "${word}"`;
    case 'unknown-exception':
      return `expected an exception of the SPDX list after WITH, found "${word}"`;
  }
}

function licenseHint({ kind, word }: LicenseProblem): string | undefined {
  if (kind === 'misplaced') return undefined;
  if (kind === 'deprecated') {
    const name = word.replace(/\+$/, '');
    const newer = word.endsWith('+') ? [`${name}-or-later`] : [`${name}-only`, `${name}-or-later`];
    const known = newer.filter((candidate) => SPDX_LICENSES.has(candidate));
    return known.length === 0 ? 'https://spdx.org/licenses/ names the newer one' : `write ${known.join(' or ')}`;
  }
  const closest = closestName(word, kind === 'unknown' ? SPDX_LICENSES : SPDX_EXCEPTIONS);
  const own = 'a licence that is not on the list is written LicenseRef-NAME';
  return closest === undefined ? own : `did you mean "${closest}"? ${own}`;
}

function lintFlags(root: YamlMap): readonly DefinitionFinding[] {
  return (mapAt(root, 'flags')?.members ?? []).flatMap(({ key, name, value }) =>
    value.kind === 'map' && textAt(value, 'description') !== undefined
      ? []
      : [
          styleFinding('undescribed-flag', key, `expected a description of the flag "${name}", found none`, {
            hint: 'it is what `use:` is chosen by',
          }),
        ],
  );
}

/** A phase that says what the class says anyway hides later changes of the class. */
function lintPhases(root: YamlMap, defaults: YamlMap | undefined): readonly DefinitionFinding[] {
  const phases = mapAt(root, 'phases');
  return PHASE_NAMES.flatMap((name) => {
    const member = memberOf(phases, name);
    const [own, ofClass] = [phases, defaults].map((map) =>
      scalarAt(map, name)
        ?.text.replaceAll(/\{\{ *(\w+) *\}\}/g, '{{$1}}')
        .trim(),
    );
    if (member === undefined || own === undefined || own !== ofClass) return [];
    const message = `the phase "${name}" is the same as that of class: ${textAt(root, 'class')}`;
    return [styleFinding('default-phase', member.key, message, { hint: 'leave it out' })];
  });
}

/** Words that stand where a reason should. */
const NO_REASON = /^[^\p{L}]*(?:todo|tbd|fixme|xxx*|why|reason)?[^\p{L}]*$/iu;

function lintAllowances(root: YamlMap): readonly DefinitionFinding[] {
  return (mapAt(root, 'allow')?.members ?? []).flatMap(({ name, key, value }) => {
    const reason: YamlNode | undefined = value.kind === 'map' ? scalarAt(value, 'reason') : value;
    if (reason?.kind !== 'scalar' || !NO_REASON.test(reason.text)) return [];
    return [
      styleFinding('allow-without-reason', key, `expected a reason for "allow.${name}", found "${reason.text}"`, {
        hint: 'say what needs it, for those who read the recipe after you',
      }),
    ];
  });
}
