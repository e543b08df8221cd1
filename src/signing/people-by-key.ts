import type { AllowedSigner } from './allowed-signers.ts';
import { matchesPattern } from './match-pattern.ts';
import { keyId } from './public-key.ts';

/**
 * Says whose each key is, by `keyId`: the same text for all keys of one person. Lines that share a key or a name, in
 * whatever case, are one person, and so are a pattern and the names that it covers: they cannot be told apart.
 */
export function peopleByKey(signers: readonly AllowedSigner[]): ReadonlyMap<string, string> {
  const groups = createGroups();
  const names = new Set<string>();
  for (const { principals, publicKey } of signers) {
    for (const principal of principals) {
      if (principal.startsWith('!')) continue;
      const name = principal.toLowerCase();
      names.add(name);
      groups.join(nameNode(name), keyNode(keyId(publicKey)));
    }
  }
  for (const pattern of names) {
    if (!/[*?]/.test(pattern)) continue;
    for (const name of names) if (matchesPattern(name, pattern)) groups.join(nameNode(name), nameNode(pattern));
  }
  return new Map(signers.map(({ publicKey }) => [keyId(publicKey), groups.find(keyNode(keyId(publicKey)))]));
}

const nameNode = (name: string) => `name ${name}`;
const keyNode = (id: string) => `key ${id}`;

/** Disjoint sets; each is called by one of its members. */
function createGroups() {
  const parents = new Map<string, string>();
  const find = (member: string): string => {
    let root = member;
    for (let next = parents.get(root); next !== undefined; next = parents.get(root)) root = next;
    for (let at = member; at !== root; ) {
      const next = parents.get(at)!;
      parents.set(at, root);
      at = next;
    }
    return root;
  };
  return {
    find,
    join(one: string, other: string) {
      const [a, b] = [find(one), find(other)];
      if (a !== b) parents.set(b, a);
    },
  };
}
