import type { ImageDefinition } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { parseImageName, repositoryName } from '../publish/image-name.ts';
import { type OutputSpec, parseOutput } from '../publish/parse-output.ts';
import type { Run } from './prepare-run.ts';

type OciDefinition = ImageDefinition & { readonly kind: 'oci' };

/**
 * What `--output` asks for. Throws, before anything is built, where the container describes no such image, and where
 * `--tag` and the tags of the image steps cannot all be had.
 */
export function readOutputs({ definitions, options }: Run): readonly OutputSpec[] {
  const { container } = definitions;
  refuseTags(container.name, container.images, options.tag);
  const outputs = options.outputs.map((text) => parseOutput(text, process.cwd()));
  const described = new Set<string>(container.images.map(({ kind }) => kind));
  const lacking = outputs.find(({ type }) => (type === 'oci' || type === 'aci') && !described.has(type));
  if (lacking === undefined) return outputs;
  throw new BuilditError('usage', `Cannot write an image of type ${lacking.type}: container.yaml describes none`, {
    hint: `add a step "- image: {type: ${lacking.type}}" to container.yaml`,
  });
}

/** Reports what an archive does not hold, and a name that it cannot have. */
export function noteOutputs({ definitions, options }: Run, outputs: readonly OutputSpec[]): void {
  const { name, images } = definitions.container;
  const notice = (text: string) => options.context.emit({ kind: 'notice', text });
  const isArchive = ({ type, dest }: OutputSpec) => type === 'docker' || (type === 'oci' && dest.endsWith('.tar'));
  const docker = outputs.find(({ type }) => type === 'docker');
  const [aci] = images.filter(({ kind }) => kind === 'aci');
  if (docker !== undefined && aci !== undefined && images.some(({ kind }) => kind === 'oci')) {
    notice(`${printable(docker.dest)} holds the OCI images only: a docker archive cannot hold an ACI`);
  }
  if (outputs.some(isArchive) && repositoryName(name) !== name) {
    notice(`the image is named ${repositoryName(name)} in archives: no engine takes the name ${printable(name)}`);
  }
}

/** Each image is found by a tag of its own. */
function refuseTags(name: string, images: readonly ImageDefinition[], given: readonly string[]): void {
  for (const tag of given) parseImageName(tag, name);
  const oci = images.filter((image): image is OciDefinition => image.kind === 'oci');
  for (const [index, image] of oci.entries()) {
    const other = oci.slice(0, index).find((earlier) => !isSame(earlier, image));
    if (other === undefined) continue;
    if (given.length > 0) {
      throw new BuilditError('usage', `Cannot tag two images as "${printable(given[0]!)}": container.yaml has two`, {
        position: image.position,
        hint: 'omit --tag, and give each image step "tags" of its own',
      });
    }
    const tag = image.tags.find((own) =>
      oci.slice(0, index).some((one) => !isSame(one, image) && one.tags.includes(own)),
    );
    if (tag === undefined) continue;
    throw new BuilditError(
      'definition-invalid',
      `Cannot tag two images as "${printable(tag)}": each needs tags of its own`,
      {
        position: image.position,
        hint: 'give this image step other "tags"; without them an image has its version as tag',
      },
    );
  }
}

/** Images that are told the same are one, and may share tags. */
function isSame(a: OciDefinition, b: OciDefinition): boolean {
  const text = ({ position: _, tags: __, ...rest }: OciDefinition) => JSON.stringify(rest);
  return text(a) === text(b);
}
