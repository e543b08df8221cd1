import type { Problems } from '../document/problems.ts';
import { isNull, type YamlMap, type YamlNode, type YamlScalar } from '../document/yaml-node.ts';
import { isPackageNamePart, isVersion, printable } from '../model/names.ts';
import { type Platform, platformText } from '../model/platform.ts';
import { acceptText, refuseText, type TextCheck } from './checked-text.ts';
import { isTemplate } from './template.ts';

/** The variables of a container and where each was written. */
export interface Variables {
  readonly values: Map<string, string>;
  readonly nodes: Map<string, YamlNode>;
}

export function startVariables({ os, architecture }: Platform): Variables {
  return {
    values: new Map([
      ['os', os],
      ['arch', architecture],
    ]),
    nodes: new Map(),
  };
}

/** Takes in one `vars` step. Its values are literal; each name is given once in the whole file. */
export function readVariables(step: YamlMap, variables: Variables, platform: Platform, problems: Problems): void {
  for (const { name, key, value } of step.members) {
    if (variables.nodes.has(name)) {
      problems.add(key, `Cannot set the variable "${name}": expected each once, found it again`);
      continue;
    }
    if (name === 'arch' && value.kind === 'list') {
      problems.add(value, 'Cannot use a list of architectures: this version of buildit does not support it yet', {
        hint: `build for one: arch: ${platform.architecture}`,
      });
      continue;
    }
    variables.nodes.set(name, value);
    if (value.kind !== 'scalar' || isNull(value)) {
      refuseShape(value, name, problems);
      continue;
    }
    variables.values.set(name, value.text);
    if (isTemplate(value.text)) refuseTemplate(value, name, problems);
    else checkKnownVariable(name, value, platform, problems);
  }
}

function refuseShape(value: YamlNode, name: string, problems: Problems): void {
  problems.expected(value, `vars.${name}`, 'a text');
}

function refuseTemplate(value: YamlScalar, name: string, problems: Problems): void {
  problems.add(value, `Cannot use a template in "vars.${name}": expected a literal text, found "{{"`, {
    hint: 'templates are for the steps after vars',
  });
}

function checkKnownVariable(name: string, node: YamlScalar, platform: Platform, problems: Problems): void {
  const text = { node, text: node.text };
  const check: TextCheck = { label: `vars.${name}`, problems };
  switch (name) {
    case 'name':
      acceptText(text, 'a name of lower-case letters, digits, "+", ".", "_" and "-"', isPackageNamePart, check);
      break;
    case 'version':
      acceptText(text, 'a version such as 1.7.6-p1', isVersion, check);
      break;
    case 'author':
      acceptText(text, 'a name without "/" or control characters', isAuthor, check);
      break;
    case 'os':
      if (node.text !== 'linux') refuseText(text, 'linux', check);
      break;
    case 'arch':
      checkArchitecture(node, platform, check);
      break;
    default:
      if (printable(node.text.replace(/[\n\t]/g, '')) !== node.text.replace(/[\n\t]/g, '')) {
        refuseText(text, 'a text without control and direction-changing characters', check);
      }
  }
}

function isAuthor(text: string): boolean {
  return text.length <= 128 && /^[^\s/.-][^/]*$/u.test(text) && printable(text) === text;
}

function checkArchitecture(node: YamlScalar, platform: Platform, check: TextCheck): void {
  if (node.text === platform.architecture) return;
  if (node.text === 'amd64' || node.text === 'arm64') {
    check.problems.add(
      node,
      `Cannot build for linux/${node.text}: this version of buildit builds for the machine it runs on, ${platformText(platform)}`,
    );
    return;
  }
  refuseText({ node, text: node.text }, 'amd64 or arm64', check);
}
