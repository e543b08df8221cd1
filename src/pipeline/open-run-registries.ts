import { openRegistries, type Registries } from '../registry/find-registry-file.ts';
import { findHome } from '../system/user-directories.ts';
import type { BuildOptions } from './contract.ts';

/** The registries of a run: buildit's configuration, else what the host's own tools are configured for. */
export function openRunRegistries({ config, context }: Pick<BuildOptions, 'config' | 'context'>): Registries {
  const { env } = process;
  const host = { environment: env, home: findHome(env) };
  return openRegistries({ configured: config.registries, host, signal: context.signal });
}
