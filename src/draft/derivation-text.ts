import { yamlText } from '../edit/yaml-text.ts';

export interface DerivationDraft {
  /** An atom: `www-servers/nginx-1.22.1`, `debian/redis`. */
  readonly base: string;
  /** `Name <address>`. */
  readonly author: string | undefined;
}

/** The text of a pkg.yaml that changes another recipe, with every change explained and none made. */
export function derivationText({ base, author }: DerivationDraft): string {
  const isDebian = base.startsWith('debian/');
  const what = isDebian
    ? '# A Debian source package as it stands, with the changes below on top of its own patches.'
    : '# Another recipe with the changes below.';
  const options = isDebian
    ? ''
    : `
# Options of the recipe to turn on or off; \`buildit show ${base}\` lists them.
# use:
#   with: [FLAG]
#   without: [FLAG]

# More arguments for its configure phase.
# configure: {append: [--with-debug]}
`;
  return `---
${what}
base: ${yamlText(base)}
${author === undefined ? '# author: Name <name@example.org>' : `author: ${yamlText(author)}`}

# Without this key all patches/*.patch apply, in the order of their names.
# With it, those that are listed, in this order, each with what it is for:
# patches:
#   patches/fix.patch: "What it is for"
#   https://example.org/fix.patch: "buildit.lock pins it on first use"
${options}`;
}
