import { arch } from 'node:os';
import { BuilditError } from '../model/errors.ts';
import type { Platform } from '../model/platform.ts';

/** The platform of this machine, which is the one packages are built for. */
export function hostPlatform(): Platform {
  const architecture = arch();
  if (architecture === 'x64') return { os: 'linux', architecture: 'amd64' };
  if (architecture === 'arm64') return { os: 'linux', architecture: 'arm64' };
  throw new BuilditError(
    'sandbox-unavailable',
    `Cannot build on this machine: expected x64 or arm64, found ${architecture}`,
  );
}
