/** The text of a first repository.yaml. */
export function repositoryText(name: string): string {
  return `---
# What configurations call it: recipes: [{name: ${name}, path: …}]
name: ${name}
description: The recipes of ${name}
# Where the build root comes from, and Debian packages of images.
debian:
  suites: [bookworm]
  components: [main]
root:
  # What a recipe is built with; Essential packages are added. usr-is-merged keeps the resolver from choosing usrmerge,
  # whose maintainer script would have to run.
  toolchain: [build-essential, usr-is-merged]
  # What recipes with \`root: minimal\` are built with, and in what every build's output is packed. libc-bin has the locale
  # C.UTF-8, which every build is told to use.
  minimal: [bash, coreutils, dash, diffutils, findutils, grep, gzip, libc-bin, mawk, patch, sed, tar]
  # What any program or library may need without saying so.
  runtime: [libc6, libgcc-s1, libstdc++6]
  # What buildit itself takes from here where the host has none.
  tools: [bubblewrap, util-linux]
`;
}

/** A recipe that builds at once, without a source: what is in files/ is installed. */
export function exampleRecipeText(name: string): string {
  return `---
# The directories say the name: CATEGORY/NAME/pkg.yaml.
name: ${name}
description: The smallest recipe, to begin with
license: MIT
version: 1.0.0
# autotools, cmake, make and meson bring phases of their own; none builds what the phases say.
class: none
root: minimal
phases:
  install: install -D -m 0755 "$FILESDIR/greet" "$DESTDIR/usr/bin/greet"
test:
  - { run: [/usr/bin/greet], stdout: Hello }
`;
}

export const EXAMPLE_SCRIPT = `#!/bin/sh
echo "Hello from your repository"
`;
