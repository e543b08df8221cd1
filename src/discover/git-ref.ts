/** An allow-list within git-check-ref-format(1): branches, tags, `refs/…` and commit ids. Never an option, never a rule. */
export function isGitRef(text: string): boolean {
  return /^[A-Za-z0-9_][A-Za-z0-9._/+-]{0,199}$/.test(text) && !/\.\.|\/\/|\/\.|\.\/|\.lock(?:\/|$)|[./]$/.test(text);
}

/** A commit id in full (SHA-1), which names the same content forever. */
export function isCommitId(text: string): boolean {
  return /^[0-9a-f]{40}$/.test(text);
}
