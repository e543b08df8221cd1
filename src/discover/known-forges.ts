/** Hosts whose paths are git repositories. */
const FORGES: Readonly<Record<string, ForgeRules>> = {
  'github.com': { form: 'USER/REPOSITORY', elements: [2, 2], suffix: '.git' },
  'gitlab.com': { form: 'GROUP/REPOSITORY', elements: [2, 20], suffix: '.git' },
  'codeberg.org': { form: 'USER/REPOSITORY', elements: [2, 2], suffix: '.git' },
  'bitbucket.org': { form: 'WORKSPACE/REPOSITORY', elements: [2, 2], suffix: '.git' },
  'git.sr.ht': { form: '~USER/REPOSITORY', elements: [2, 2], suffix: '', owner: /^~/ },
};

interface ForgeRules {
  readonly form: string;
  /** How many path elements name a repository: least and most. */
  readonly elements: readonly [number, number];
  /** What the forge serves the repository under without a redirect. */
  readonly suffix: string;
  readonly owner?: RegExp;
}

export type ForgeAnswer =
  | { readonly kind: 'unknown' }
  | { readonly kind: 'repository'; readonly url: string }
  /** The host is a forge, and the path names no repository of it; `form` is what would. */
  | { readonly kind: 'malformed'; readonly form: string };

/** The git repository that `host/path` names, where the host is a known forge. The path has no slash at either end. */
export function knownForge(host: string, path: string): ForgeAnswer {
  const name = host.toLowerCase().replace(/^www\./, '');
  const forge = Object.hasOwn(FORGES, name) ? FORGES[name] : undefined;
  if (forge === undefined) return { kind: 'unknown' };
  const elements = path === '' ? [] : path.replace(/\.git$/, '').split('/');
  const [least, most] = forge.elements;
  const fits = elements.length >= least && elements.length <= most && (forge.owner?.test(elements[0]!) ?? true);
  if (!fits) return { kind: 'malformed', form: `${name}/${forge.form}` };
  return { kind: 'repository', url: `https://${name}/${elements.join('/')}${forge.suffix}` };
}
