import type { ContainerDefinition, FileStep } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { Store } from '../store/store.ts';
import { applySteps } from './apply-steps.ts';
import { certificateBundle } from './certificate-bundle.ts';
import { generateFiles } from './generate-files.ts';
import { draftGenerated, type GeneratedEntry } from './generated-layer.ts';
import { draftLayer, type ImageLayer, memberLayer } from './image-layer.ts';
import { type ImageMember, loadMembers, type SelectedMember } from './image-member.ts';
import type { DraftedLayer } from './layer-content.ts';
import { type MergedTree, mergeTree, overlayTree } from './merge-tree.ts';
import { type ReadWitness, type RenderTemplate, readSyncSource, type SyncEntry } from './read-sync-source.ts';
import { readTables, treeReader } from './tree-reader.ts';
import { findOwner, type UserTables } from './user-tables.ts';
import { usersWithHomes, wantedUsers } from './wanted-users.ts';

export interface ContentInput {
  readonly container: ContainerDefinition;
  /** Base first, dependencies before dependants. */
  readonly selected: readonly SelectedMember[];
  /** Renders files that `sync` copies with `template`. */
  readonly render: RenderTemplate;
  /** Told which of the user's files and directories are read. */
  readonly witness?: ReadWitness;
}

/** What every image of a container holds, whatever its format: decided, and not yet written anywhere. */
export interface ImageContent {
  readonly container: ContainerDefinition;
  readonly members: readonly ImageMember[];
  /** Bottom first: one for each member, the generated files, the user's files. */
  readonly layers: readonly ImageLayer[];
  readonly tree: MergedTree;
  readonly users: UserTables;
  /** Seconds: when the newest input was made. */
  readonly created: number;
  /** What the user is told: files of packages that were replaced. */
  readonly notices: readonly string[];
  /** The same: files that do not have the effect they are there for. */
  readonly warnings: readonly string[];
  /** Of the layers on top, by their layer; their blobs are found by it. */
  readonly drafts: ReadonlyMap<ImageLayer, DraftedLayer>;
}

/** Decides all files of an image out of its packages and the container's own steps. */
export async function prepareContent(store: Store, input: ContentInput): Promise<ImageContent> {
  const { container } = input;
  const members = await loadMembers(store, input.selected);
  const packages = members.map((member) => memberLayer(store, member));
  const created = Math.max(0, ...members.map(({ sourceDate }) => sourceDate));
  const merged = mergeTree(packages);

  const { platform, steps: ownSteps } = container;
  const wanted = wantedUsers(members, ownSteps);
  const { entries, users: packagedUsers } = await generateFiles({
    tree: merged,
    packages,
    members,
    wanted,
    hasBase: container.base !== false,
    platform,
  });
  const sources = await readSources(input);
  const layOut = (generated: readonly GeneratedEntry[]) => {
    const tops = new Tops(packages, merged);
    tops.lay('generated files', draftGenerated(merged, generated, created));
    const steps = applySteps({
      tree: tops.tree,
      steps: ownSteps,
      sources,
      homes: usersWithHomes(wanted),
      time: created,
      findOwner: (owner, position) => findOwner(packagedUsers, owner, position),
    });
    tops.lay('files of the container', steps);
    return { ...tops, notices: steps.notices };
  };
  // Certificates of the steps join the bundle, which lies below the steps, so that a bundle of theirs counts.
  const first = layOut(entries);
  const bundle = await certificateBundle(first.tree, merged, treeReader(first.tree, first.layers));
  const { tree, layers, drafts, notices } = bundle.entry === undefined ? first : layOut([...entries, bundle.entry]);
  refuseWhiteouts(layers);
  // The user's own /etc/passwd counts for who may run the image.
  const users = await readTables(tree, treeReader(tree, layers));
  return { container, members, layers, tree, users, created, notices, warnings: bundle.warnings, drafts };
}

/** The layers of an image, with more and more on top of its packages. */
class Tops {
  readonly layers: ImageLayer[];
  readonly drafts = new Map<ImageLayer, DraftedLayer>();
  tree: MergedTree;

  constructor(packages: readonly ImageLayer[], tree: MergedTree) {
    this.layers = [...packages];
    this.tree = tree;
  }

  lay(name: string, draft: DraftedLayer | undefined): void {
    if (draft === undefined || draft.listing.length === 0) return;
    const layer = draftLayer(name, draft);
    this.layers.push(layer);
    this.drafts.set(layer, draft);
    this.tree = overlayTree(this.tree, layer);
  }
}

async function readSources({ container, render, witness }: ContentInput): Promise<Map<FileStep, readonly SyncEntry[]>> {
  const sources = new Map<FileStep, readonly SyncEntry[]>();
  for (const step of container.steps) {
    if (step.kind === 'sync') sources.set(step, await readSyncSource(step, container.directory, { render, witness }));
  }
  return sources;
}

/** OCI layers tell by such names what lower layers lose (image-spec, layer.md, "Whiteouts"). */
function refuseWhiteouts(layers: readonly ImageLayer[]): void {
  for (const { name, listing } of layers) {
    const culprit = listing.find(({ path }) => path.startsWith('.wh.') || path.includes('/.wh.'));
    if (culprit === undefined) continue;
    throw new BuilditError(
      'input-invalid',
      `Cannot put "/${printable(culprit.path)}" of ${name} into an image: names that begin with ".wh." remove files in OCI layers`,
    );
  }
}
