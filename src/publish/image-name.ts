import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';

/** The name of an image with its tag: github.com/distribution/reference. */
export interface ImageName {
  /** `docker.io/library/web:1.0`, `registry.example/team/web:1.0`. */
  readonly full: string;
  readonly tag: string;
}

const DEFAULT_REGISTRY = 'docker.io';
const DEFAULT_NAMESPACE = 'library';
const MOST_CHARACTERS = 255;

const TAG = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const PATH_PART = /^[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*$/;
const REGISTRY = /^(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?$/;

/**
 * A tag such as `1.0`, which counts for `container`, or a name such as `registry.example:5000/team/web:1.0`; without a
 * tag that is `latest`. Throws `usage` for what no engine takes.
 */
export function parseImageName(text: string, container: string): ImageName {
  if (!/[/:@]/.test(text)) {
    if (!TAG.test(text)) throw invalidName(text, 'a tag of at most 128 letters, digits, ".", "_" and "-"');
    return joinName(DEFAULT_REGISTRY, [DEFAULT_NAMESPACE, repositoryName(container)], text);
  }
  if (text.includes('@')) throw invalidName(text, 'a name without a digest');
  const colon = text.indexOf(':', text.lastIndexOf('/') + 1);
  const [name, tag] = colon < 0 ? [text, 'latest'] : [text.slice(0, colon), text.slice(colon + 1)];
  if (!TAG.test(tag)) throw invalidName(text, 'a tag of at most 128 letters, digits, ".", "_" and "-" behind the name');
  const { registry, path } = splitRegistry(name);
  if (!REGISTRY.test(registry) || name.length > MOST_CHARACTERS || !path.every((part) => PATH_PART.test(part))) {
    const isUpperCase = name !== name.toLowerCase() && path.every((part) => PATH_PART.test(part.toLowerCase()));
    const expected = isUpperCase ? 'a name in lower case' : 'a name such as registry.example/team/web:1.0';
    throw invalidName(text, expected);
  }
  const isShort = registry === DEFAULT_REGISTRY && path.length === 1;
  return joinName(registry, isShort ? [DEFAULT_NAMESPACE, ...path] : path, tag);
}

/** Tells whether a tag from elsewhere can name an image. */
export function isImageTag(text: string): boolean {
  return TAG.test(text);
}

/** The container's name as part of an image's name: in lower case, parts joined by single separators. */
export function repositoryName(name: string): string {
  if (PATH_PART.test(name)) return name;
  const clean = name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-|-$/g, '');
  return clean === '' ? 'image' : clean;
}

/** What comes before the first slash is a registry if it looks like a host, as Docker decides it. */
function splitRegistry(name: string): { readonly registry: string; readonly path: readonly string[] } {
  const [first = '', ...rest] = name.split('/');
  const isRegistry = rest.length > 0 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  if (!isRegistry) return { registry: DEFAULT_REGISTRY, path: [first, ...rest] };
  return { registry: first === 'index.docker.io' ? DEFAULT_REGISTRY : first, path: rest };
}

function joinName(registry: string, path: readonly string[], tag: string): ImageName {
  return { full: `${registry}/${path.join('/')}:${tag}`, tag };
}

function invalidName(text: string, expected: string): BuilditError {
  return new BuilditError('usage', `Cannot tag the image "${printable(text)}": expected ${expected}`, {
    hint: 'give --tag a tag such as 1.0, or a name such as registry.example/team/web:1.0',
  });
}
