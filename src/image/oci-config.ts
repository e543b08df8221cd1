import type { JsonValue } from '../model/canonical-json.ts';
import type { ContainerDefinition, ImageDefinition, OciConfig } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import type { DiffId } from '../model/layer.ts';
import { printable } from '../model/names.ts';
import { hasOwner, type UserTables } from './user-tables.ts';

export type OciDefinition = ImageDefinition & { readonly kind: 'oci' };

export interface ConfigLayer {
  readonly diffId: DiffId;
  /** What it holds, for the history: `www-servers/nginx-1.22.1`. */
  readonly content: string;
}

/** What runtimes without a default of their own would leave empty. */
export const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** The image configuration (OCI image-spec 1.0, config.md). Nothing of the machine or the moment is in it. */
export function ociConfig(
  container: ContainerDefinition,
  definition: OciDefinition,
  layers: readonly ConfigLayer[],
  created: number,
): JsonValue {
  const date = timestamp(created);
  return {
    created: date,
    ...(container.author === undefined ? {} : { author: container.author }),
    architecture: container.platform.architecture,
    os: container.platform.os,
    config: runConfig(definition.config),
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffId }) => `sha256:${diffId}`) },
    history: layers.map(({ content }) => ({ created: date, created_by: `buildit: ${content}` })),
  };
}

/** Annotations of the manifest (image-spec, annotations.md). What the container says itself wins. */
export function ociAnnotations(
  container: ContainerDefinition,
  definition: OciDefinition,
  license: string | undefined,
  created: number,
): Record<string, string> {
  const prefix = 'org.opencontainers.image';
  return {
    [`${prefix}.title`]: container.name,
    [`${prefix}.version`]: container.version,
    [`${prefix}.created`]: timestamp(created),
    ...(container.author === undefined ? {} : { [`${prefix}.authors`]: container.author }),
    ...(license === undefined ? {} : { [`${prefix}.licenses`]: license }),
    ...definition.annotations,
  };
}

/** The user an image runs as must be somebody in it, or engines refuse to start it. */
export function checkConfigUser({ config: { user }, position }: OciDefinition, users: UserTables): void {
  if (user === undefined || user === '' || hasOwner(users, user)) return;
  throw new BuilditError(
    'definition-invalid',
    `Cannot run the image as "${printable(user)}": expected a user of the image or a number, found neither in its /etc/passwd and /etc/group`,
    { position, hint: 'a "user" step adds one' },
  );
}

/** RFC 3339 in UTC. */
export function timestamp(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace('.000Z', 'Z');
}

function runConfig(config: OciConfig): { [key: string]: JsonValue } {
  const environment = { PATH: DEFAULT_PATH, ...config.environment };
  return {
    Env: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
    ...(config.user === undefined ? {} : { User: config.user }),
    ...(config.ports === undefined ? {} : { ExposedPorts: emptyObjects(config.ports.map(portText)) }),
    ...(config.entrypoint === undefined ? {} : { Entrypoint: config.entrypoint }),
    ...(config.cmd === undefined ? {} : { Cmd: config.cmd }),
    ...(config.volumes === undefined ? {} : { Volumes: emptyObjects(config.volumes) }),
    ...(config.workingDirectory === undefined ? {} : { WorkingDir: config.workingDirectory }),
    ...(config.labels === undefined ? {} : { Labels: config.labels }),
    ...(config.stopSignal === undefined ? {} : { StopSignal: config.stopSignal }),
  };
}

/** `80` means `80/tcp`. */
function portText(port: string): string {
  return port.includes('/') ? port : `${port}/tcp`;
}

/** How the configuration writes sets: keys with empty objects. */
function emptyObjects(keys: readonly string[]): { [key: string]: JsonValue } {
  return Object.fromEntries(keys.map((key) => [key, {}]));
}
