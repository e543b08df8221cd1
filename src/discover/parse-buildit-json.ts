import { integerAt, mapsAt, scalarAt, scalarsAt, textAt } from '../document/fields.ts';
import { parseYaml } from '../document/parse-yaml.ts';
import { Problems } from '../document/problems.ts';
import { cleanRelativePath } from '../document/resolve-inside.ts';
import { validateSchema } from '../document/validate-schema.ts';
import { type DocumentText, positionAt, type YamlMap, type YamlNode, type YamlScalar } from '../document/yaml-node.ts';
import { BuilditError, BuilditErrors } from '../model/errors.ts';
import { isRepositoryName } from '../model/names.ts';
import { isGitRef } from './git-ref.ts';
import { isFingerprint } from './parse-discovery.ts';
import { type WebAddressRules, webAddressFault } from './web-address.ts';

/** A `buildit.json`: what a location says it offers. */
export interface BuilditJson {
  readonly name: string;
  readonly description: string | undefined;
  readonly recipes: readonly NamedRecipes[];
  readonly binhosts: readonly NamedBinhost[];
  readonly signers: readonly string[];
}

export type NamedRecipes =
  /** Beside this file: a clean relative path, or `.`. `node` is where it was written. */
  | { readonly kind: 'path'; readonly name: string; readonly path: string; readonly node: YamlNode }
  | { readonly kind: 'git'; readonly name: string; readonly git: string; readonly ref: string | undefined };

export interface NamedBinhost {
  readonly name: string;
  readonly downloadType: 'https' | 'http';
  /** `host[:port]/path`. */
  readonly downloadPath: string;
  readonly priority: number | undefined;
}

export interface BuilditJsonRules extends WebAddressRules {
  /** The file came as one file from the web: there is nothing beside it. */
  readonly isAlone: boolean;
}

const CODE = 'input-invalid';
const ALLOWED_SIGNER =
  /^[^\s"#][^\s]*(?: [^\s]+)? (?:ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(?:256|384|521)|sk-[a-z0-9@.-]+) [A-Za-z0-9+/]{16,2000}={0,2}(?: .*)?$/;

/**
 * Checks a `buildit.json` against its schema and reads it. It comes from elsewhere: addresses are https, paths stay
 * inside, names are names.
 *
 * @throws BuilditError, BuilditErrors `input-invalid` with everything that is wrong, each at its place.
 */
export async function parseBuilditJson(document: DocumentText, rules: BuilditJsonRules): Promise<BuilditJson> {
  try {
    refuseOtherThanJson(document);
    return await readBuilditJson(document, rules);
  } catch (error) {
    throw withoutCredentials(error);
  }
}

async function readBuilditJson(document: DocumentText, rules: BuilditJsonRules): Promise<BuilditJson> {
  const root = parseYaml(document, CODE);
  const problems = new Problems(CODE);
  await validateSchema('buildit', root, problems, {});
  const map = root.kind === 'map' ? root : undefined;
  const names = new Set<string>();
  const read = {
    name: nameAt(map, 'name', problems) ?? '',
    description: textAt(map, 'description'),
    recipes: mapsAt(map, 'recipes').flatMap((entry) => readRecipes(entry, rules, names, problems) ?? []),
    binhosts: mapsAt(map, 'binhosts').flatMap((entry) => readBinhost(entry, rules, names, problems) ?? []),
    signers: scalarsAt(map, 'signers').map((node) => readSigner(node, problems)),
  };
  problems.throwAll();
  return read;
}

/** JSON is also YAML, the reverse does not hold. The tree is read as YAML because that keeps positions. */
function refuseOtherThanJson(document: DocumentText): void {
  try {
    JSON.parse(document.text);
  } catch (error) {
    const offset = Number(/at position (\d+)/.exec((error as Error).message)?.[1] ?? 0);
    throw new BuilditError(CODE, `Cannot read "${document.name}": expected JSON, found a text that is none`, {
      position: positionAt(document, Math.min(offset, document.text.length)),
    });
  }
}

/** The same errors with stars for what stands before a host: messages and excerpts quote the file. */
function withoutCredentials(error: unknown): unknown {
  if (error instanceof BuilditErrors)
    return new BuilditErrors(error.errors.map((one) => withoutCredentials(one) as BuilditError));
  if (!(error instanceof BuilditError)) return error;
  const { code, message, hint, details, position } = error;
  const excerpt = position?.excerpt;
  return new BuilditError(code, starred(message), {
    hint,
    details,
    position: position && (excerpt === undefined ? position : { ...position, excerpt: starred(excerpt) }),
  });
}

function starred(text: string): string {
  return text.replace(/[^"\s]+/g, (word) => {
    const [from, to] = [word.indexOf('//') + 2, word.lastIndexOf('@')];
    return from >= 2 && to > from ? word.slice(0, from) + '*'.repeat(to - from) + word.slice(to) : word;
  });
}

function nameAt(map: YamlMap | undefined, label: string, problems: Problems): string | undefined {
  const node = scalarAt(map, 'name');
  if (node === undefined) return undefined;
  if (!isRepositoryName(node.text)) problems.expected(node, label, 'a name such as containers');
  return node.text;
}

/** The name of an entry, which no other entry of its kind has. */
function ownNameAt(entry: YamlMap, kind: string, names: Set<string>, problems: Problems): string | undefined {
  const name = nameAt(entry, `${kind}.name`, problems);
  if (name === undefined) return undefined;
  const key = `${kind} ${name}`;
  if (names.has(key))
    problems.add(scalarAt(entry, 'name')!, `Cannot use "${name}": expected each name once, found it again`);
  names.add(key);
  return name;
}

function readRecipes(
  entry: YamlMap,
  rules: BuilditJsonRules,
  names: Set<string>,
  problems: Problems,
): NamedRecipes | undefined {
  const name = ownNameAt(entry, 'recipes', names, problems);
  const path = scalarAt(entry, 'path');
  const git = scalarAt(entry, 'git');
  const ref = scalarAt(entry, 'ref');
  if (ref !== undefined && git === undefined)
    problems.add(ref, 'Cannot use "ref": expected "git" beside it, found none');
  if (ref !== undefined && !isGitRef(ref.text))
    problems.expected(ref, 'recipes.ref', 'a branch, a tag or a full commit id');
  if (git !== undefined) {
    if (path !== undefined) problems.add(path, 'Cannot use "path": expected it or "git", found both');
    refuseAddress(git, 'recipes.git', rules, problems);
    return name === undefined ? undefined : { kind: 'git', name, git: git.text, ref: ref?.text };
  }
  if (rules.isAlone) {
    const hint = 'a file on the web has no directory beside it that could be fetched as a whole';
    problems.add(entry, 'Cannot use "recipes": expected the key "git" in each, found none', { hint });
  }
  const clean = path === undefined || path.text === '.' || path.text === './' ? '.' : cleanRelativePath(path.text);
  if (path !== undefined && clean === undefined) {
    problems.expected(path, 'recipes.path', 'a relative path that stays inside');
  }
  return name === undefined || clean === undefined
    ? undefined
    : { kind: 'path', name, path: clean, node: path ?? entry };
}

function readBinhost(
  entry: YamlMap,
  rules: BuilditJsonRules,
  names: Set<string>,
  problems: Problems,
): NamedBinhost | undefined {
  const name = ownNameAt(entry, 'binhosts', names, problems);
  const downloadType = textAt(entry, 'download-type') === 'http' ? 'http' : 'https';
  const path = scalarAt(entry, 'download-path');
  if (path !== undefined) refuseAddress(path, 'binhosts.download-path', rules, problems, `${downloadType}://`);
  const limits = { label: 'binhosts.priority', minimum: 0, maximum: 1_000_000, problems };
  const priority = integerAt(entry, 'priority', limits);
  return name === undefined || path === undefined
    ? undefined
    : { name, downloadType, downloadPath: path.text, priority };
}

/** What was found is said without the address: it may hold a password. */
function refuseAddress(
  node: YamlScalar,
  label: string,
  rules: BuilditJsonRules,
  problems: Problems,
  prefix = '',
): void {
  const fault = webAddressFault(prefix + node.text, rules);
  if (fault === undefined) return;
  const expected = prefix === '' ? 'an https address' : 'host/path';
  problems.add(node, `Cannot read "${label}": expected ${expected}, found ${fault}`);
}

function readSigner(node: YamlScalar, problems: Problems): string {
  if (!isFingerprint(node.text) && !ALLOWED_SIGNER.test(node.text)) {
    problems.expected(node, 'signers', 'SHA256:… or a line of an allowed_signers file');
  }
  return node.text;
}
