import { type PackageStep, stepLines, USUAL_LAYOUT } from '../edit/package-step.ts';

export interface ContainerDraft {
  readonly name: string;
  readonly packages: readonly PackageStep[];
  readonly image: 'oci' | 'aci';
}

/** What a container holds that says hello: it builds as it stands. */
export const HELLO = { type: 'repository', name: 'app-misc/hello' } as const satisfies PackageStep;

/** The text of a first container.yaml, with comments that explain it. */
export function containerText({ name, packages, image }: ContainerDraft): string {
  const layout = { ...USUAL_LAYOUT, column: 0 };
  const steps = packages.flatMap((step, index) => [...(index === 0 ? [] : ['']), ...stepLines(step, layout)]);
  const isHello = packages.length === 1 && packages[0]!.type === 'repository' && packages[0]!.name === HELLO.name;
  const program = isHello ? '/usr/bin/hello' : '/bin/sh';
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
${steps.join('\n')}

# Files of your own.
- file:
    dest: /etc/motd
    content: "This is {{ name }} {{ version }}.\\n"

${(image === 'oci' ? ociStep : aciStep)(program, isHello)}`;
}

function ociStep(program: string, isHello: boolean): string {
  return `# The result: an OCI image in out/oci/, for podman, docker, skopeo and others.
- image:
    type: oci
    config:
      entrypoint: [${program}]${isHello ? '' : ' # the program that the container runs'}
`;
}

function aciStep(program: string, isHello: boolean): string {
  return `# The result: an App Container Image in out/.${isHello ? '' : ' `exec` is the program that the container runs.'}
- image:
    type: aci
    content: |
      {
        "acKind": "ImageManifest",
        "acVersion": "0.6.1",
        "name": "{{ name }}-{{ version }}",
        "labels": [
          {"name": "os", "value": "{{ os }}"},
          {"name": "arch", "value": "{{ arch }}"}
        ],
        "app": {
          "exec": [
            "${program}"
          ],
          "user": "0",
          "group": "0"
        }
      }
`;
}
