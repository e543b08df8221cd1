import { memberOf, type YamlMap, type YamlNode } from '../document/yaml-node.ts';

/** Keys of a binhost that decide who is believed. */
const BINHOST_KEYS = ['builders', 'ca', 'insecure', 'signers', 'verify'];

/**
 * The settings of a project's configuration that count only from a file the user accepted: who is trusted, with what
 * things are signed, what runs builds, whose patches go into them, and where their results are kept. `verify: require` takes nothing away from
 * anyone and counts.
 */
export function untrustedSettings(root: YamlMap): readonly string[] {
  const found = ['sign', 'store', 'trust', 'user-patches'].filter((key) => memberOf(root, key) !== undefined);
  const build = memberOf(root, 'build')?.value;
  if (build?.kind === 'map' && memberOf(build, 'executor') !== undefined) found.push('build.executor');
  for (const key of ['repository', 'repositories']) {
    const node = memberOf(root, key)?.value;
    const binhosts = node?.kind === 'list' ? node.items : node === undefined ? [] : [node];
    for (const name of BINHOST_KEYS)
      if (binhosts.some((binhost) => weakens(binhost, name))) found.push(`${key}.${name}`);
  }
  return found.sort();
}

function weakens(binhost: YamlNode, name: string): boolean {
  const value = binhost.kind === 'map' ? memberOf(binhost, name)?.value : undefined;
  if (value === undefined) return false;
  return !(name === 'verify' && value.kind === 'scalar' && value.text === 'require');
}
