import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { type Platform, platformText } from '../model/platform.ts';

/** The platform of the machine this runs on. */
export function hostPlatform(): Platform {
  switch (process.arch) {
    case 'x64':
      return { os: 'linux', architecture: 'amd64' };
    case 'arm64':
      return { os: 'linux', architecture: 'arm64' };
    default:
      throw new BuilditError('usage', `Cannot build on this machine: expected amd64 or arm64, found ${process.arch}`);
  }
}

/** Reads `linux/amd64` as typed on the command line; only the host's own platform can be built for. */
export function readPlatform(typed: string | undefined): Platform {
  const host = hostPlatform();
  if (typed === undefined || typed === platformText(host)) return host;
  if (typed === 'linux/amd64' || typed === 'linux/arm64') {
    const message = `Cannot build for ${typed}: this version of buildit builds for the machine it runs on, ${platformText(host)}`;
    throw new BuilditError('usage', message);
  }
  throw new BuilditError(
    'usage',
    `Cannot read the platform "${printable(typed)}": expected linux/amd64 or linux/arm64`,
  );
}
