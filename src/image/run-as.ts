import type { ImageDefinition } from '../model/container.ts';
import { DEFAULT_PATH } from './oci-config.ts';
import type { ImageContent } from './prepare-content.ts';
import { resolveInTree } from './tree-path.ts';
import { findOwner, homeOf } from './user-tables.ts';

/** As whom, where and with which variables an image starts what it starts. */
export interface RunAs {
  readonly uid: number;
  readonly gid: number;
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
}

/** What engines make of an image's configuration: of its OCI image where it has one, else of its ACI. */
export function runAs(images: readonly ImageDefinition[], content: ImageContent): RunAs {
  const definition = images.find(({ kind }) => kind === 'oci') ?? images[0];
  const { user, environment, directory } =
    definition === undefined || definition.kind === 'oci' ? ociSettings(definition) : aciSettings(definition, content);
  const [name = '', group = ''] = user.split(':');
  const owner =
    name === '' ? { uid: 0, gid: 0 } : findOwner(content.users, { user: name, group }, definition?.position);
  return {
    ...owner,
    environment: { HOME: homeOf(content.users, owner.uid) ?? '/', PATH: DEFAULT_PATH, ...environment },
    directory,
  };
}

/** The variables that an image says itself. */
export function imageEnvironment(definition: ImageDefinition): Readonly<Record<string, string>> {
  if (definition.kind === 'oci') return definition.config.environment ?? {};
  const { app } = JSON.parse(definition.manifest) as { readonly app?: AciApp | null };
  return Object.fromEntries((app?.environment ?? []).map(({ name, value }) => [name, value]));
}

interface Settings {
  /** `user` or `user:group`, empty for root. */
  readonly user: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly directory: string;
}

function ociSettings(definition: (ImageDefinition & { readonly kind: 'oci' }) | undefined): Settings {
  const { user = '', environment = {}, workingDirectory = '/' } = definition?.config ?? {};
  return { user, environment, directory: workingDirectory };
}

/** The manifest is checked where the image is made; here only what has the right shape counts. */
function aciSettings(definition: ImageDefinition & { readonly kind: 'aci' }, content: ImageContent): Settings {
  const { app } = JSON.parse(definition.manifest) as { readonly app?: AciApp | null };
  const user = ownerText(app?.user, 'uid', content);
  const group = ownerText(app?.group, 'gid', content);
  return {
    user: `${user}:${group}`,
    environment: imageEnvironment(definition),
    directory: app?.workingDirectory ?? '/',
  };
}

interface AciApp {
  readonly user?: string;
  readonly group?: string;
  readonly workingDirectory?: string;
  readonly environment?: readonly { readonly name: string; readonly value: string }[];
}

/** A path stands for the owner of the file there: appc spec/aci.md, "user, group". */
function ownerText(text: string | undefined, id: 'uid' | 'gid', { tree }: ImageContent): string {
  if (text === undefined || !text.startsWith('/')) return text ?? '0';
  const resolved = resolveInTree((path) => tree.entries.get(path)?.entry, text, { followLast: true });
  const entry = resolved.kind === 'path' ? tree.entries.get(resolved.path)?.entry : undefined;
  return String(entry?.[id] ?? 0);
}
