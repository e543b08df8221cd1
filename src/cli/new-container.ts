import { writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { BuilditError } from '../model/errors.ts';
import { isPackageNamePart, printable } from '../model/names.ts';
import { makeDirectory } from '../system/files.ts';

/**
 * Writes the smallest container that builds into a directory, which may be there already but must not hold a
 * container.yaml.
 */
export async function newContainer(directory: string): Promise<void> {
  const name = basename(directory);
  if (!isPackageNamePart(name)) {
    throw new BuilditError(
      'usage',
      `Cannot name a container "${printable(name)}": expected lower-case letters, digits, ".", "_", "+" and "-", ` +
        'a letter or digit first',
    );
  }
  makeDirectory(directory);
  const path = join(directory, 'container.yaml');
  try {
    await writeFile(path, containerYaml(name), { flag: 'wx' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new BuilditError('usage', `Cannot write "${printable(path)}": expected no such file, found one`, {
      hint: 'name another directory, or remove the file first',
    });
  }
}

function containerYaml(name: string): string {
  return `---
# What this container is called. Every variable may be used below as {{ name }}.
- vars:
    name: ${name}
    version: 1.0.0
    os: linux
    arch: amd64

# What it holds: packages that are built from source, with what they need at run time.
# \`type: embedded, path: ./pkgs/NAME\` is a package of your own in this directory,
# \`type: debian, name: NAME\` an existing Debian package.
- package:
    type: repository
    name: app-misc/hello

# Files of your own.
- file:
    dest: /etc/motd
    content: "This is {{ name }} {{ version }}.\\n"

# The result: an OCI image in out/oci/, for podman, docker, skopeo and others.
- image:
    type: oci
    config:
      entrypoint: [/usr/bin/hello]
`;
}
