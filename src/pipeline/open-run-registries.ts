import { homeDirectory } from '../config/xdg.ts';
import { openRegistries, type Registries } from '../registry/find-registry-file.ts';
import type { BuildOptions } from './contract.ts';

/** The registries of a run: buildit's configuration, else what the host's own tools are configured for. */
export function openRunRegistries({ config, context }: Pick<BuildOptions, 'config' | 'context'>): Registries {
  const { env } = process;
  const host = { environment: env, home: homeDirectory(env) };
  return openRegistries({ configured: config.registries, host, signal: context.signal });
}
