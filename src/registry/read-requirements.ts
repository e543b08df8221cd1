import { type Digest, isDigest } from '../model/digest.ts';
import { isArtefactName, isArtefactVersion } from '../model/registry.ts';
import { type LockText, lockRefusal, MAXIMUM_LOCKED, type PythonRequirement } from './locked-artefact.ts';

const REQUIREMENT = /^([A-Za-z0-9][A-Za-z0-9._-]*)(?:\[[A-Za-z0-9,._ -]*\])?\s*==\s*([^\s;]+)\s*(?:;[^#]*)?$/;

/**
 * A requirements file as pip's `--require-hashes` demands it: `name==version --hash=sha256:…`, each with at least one
 * hash. Options, other files, addresses and other relations than `==` are refused; a marker behind `;` is passed over.
 */
export function readRequirements(lock: LockText): readonly PythonRequirement[] {
  const found = new Map<string, PythonRequirement>();
  for (const { line, text } of logicalLines(lock)) {
    const [head = '', ...hashes] = text.split(/\s--hash=/).map((part) => part.trim());
    const [, name, version] = REQUIREMENT.exec(head.trim()) ?? [];
    if (name === undefined || version === undefined) {
      throw lockRefusal(lock, 'NAME==VERSION --hash=sha256:…', `"${text}"`, line);
    }
    if (!isArtefactName('python', name) || !isArtefactVersion('python', version)) {
      throw lockRefusal(lock, 'a package and its version', `"${name}" ${version}`, line);
    }
    const digests = hashes.map((hash): Digest => {
      const digest = /^sha256:([0-9a-f]{64})$/.exec(hash.trim())?.[1];
      if (digest === undefined || !isDigest(digest)) throw lockRefusal(lock, '--hash=sha256:…', `"${hash}"`, line);
      return digest;
    });
    if (digests.length === 0) throw lockRefusal(lock, `a hash of ${name}`, 'none', line);
    const key = normalisedName(name);
    if (found.has(key)) throw lockRefusal(lock, `${name} once`, 'it again', line);
    found.set(key, { name: key, version, digests });
    if (found.size > MAXIMUM_LOCKED) throw lockRefusal(lock, `at most ${MAXIMUM_LOCKED} packages`, 'more');
  }
  return [...found.values()];
}

/** PEP 503: the name by which the index knows a package. */
export function normalisedName(name: string): string {
  return name.replace(/[-_.]+/g, '-').toLowerCase();
}

/** Lines without comments; a backslash at the end joins the next. */
function logicalLines({ text }: LockText): { readonly line: number; readonly text: string }[] {
  const lines: { line: number; text: string }[] = [];
  let open: { line: number; text: string } | undefined;
  for (const [index, raw] of text.split('\n').entries()) {
    const content = raw.split(/(?<!\S)#/, 1)[0]!.trimEnd();
    const continues = content.endsWith('\\');
    const part = continues ? content.slice(0, -1) : content;
    if (open === undefined) open = { line: index + 1, text: part };
    else open.text += ` ${part.trim()}`;
    if (continues) continue;
    if (open.text.trim() !== '') lines.push({ line: open.line, text: open.text.trim() });
    open = undefined;
  }
  if (open !== undefined && open.text.trim() !== '') lines.push({ line: open.line, text: open.text.trim() });
  return lines;
}
