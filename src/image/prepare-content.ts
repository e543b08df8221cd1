import type { ContainerDefinition, FileStep } from '../model/container.ts';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import type { Store } from '../store/store.ts';
import { applySteps } from './apply-steps.ts';
import { draftGenerated, type GeneratedEntry } from './generated-layer.ts';
import { draftLayer, type ImageLayer, memberLayer } from './image-layer.ts';
import { type ImageMember, loadMembers, type SelectedMember } from './image-member.ts';
import type { DraftedLayer } from './layer-content.ts';
import { libraryCache } from './library-cache.ts';
import { type MergedTree, mergeTree, overlayTree } from './merge-tree.ts';
import { type ReadWitness, type RenderTemplate, readSyncSource, type SyncEntry } from './read-sync-source.ts';
import { addUsers, findOwner, type UserTables, type WantedUser } from './user-tables.ts';

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

  const drafts = new Map<ImageLayer, DraftedLayer>();
  const layers: ImageLayer[] = [...packages];
  const lay = (tree: MergedTree, name: string, draft: DraftedLayer | undefined): MergedTree => {
    if (draft === undefined || draft.listing.length === 0) return tree;
    const layer = draftLayer(name, draft);
    layers.push(layer);
    drafts.set(layer, draft);
    return overlayTree(tree, layer);
  };

  const readText = (path: string) => readTreeText(merged, packages, path);
  const before = await readTables(merged, readText);
  const users = addUsers(before, wantedUsers(members, container.steps));
  const elf = members.flatMap(({ layer }) => layer.elf);
  const cache = await libraryCache({ tree: merged, elf, platform: container.platform, readText });
  const generated = draftGenerated(merged, [...tableEntries(merged, before, users), ...cacheEntry(cache)], created);
  const middle = lay(merged, 'generated files', generated);

  const steps = applySteps({
    tree: middle,
    steps: container.steps,
    sources: await readSources(input),
    time: created,
    findOwner: (owner, position) => findOwner(users, owner, position),
  });
  const tree = lay(middle, 'files of the container', steps);
  refuseWhiteouts(layers);
  return { container, members, layers, tree, users, created, notices: steps.notices, drafts };
}

async function readSources({ container, render, witness }: ContentInput): Promise<Map<FileStep, readonly SyncEntry[]>> {
  const sources = new Map<FileStep, readonly SyncEntry[]>();
  for (const step of container.steps) {
    if (step.kind === 'sync') sources.set(step, await readSyncSource(step, container.directory, { render, witness }));
  }
  return sources;
}

function wantedUsers(members: readonly ImageMember[], steps: readonly FileStep[]): WantedUser[] {
  return [
    ...members.flatMap(({ name, users }) => users.map((user) => ({ ...user, by: name }))),
    ...steps.flatMap((step) => (step.kind === 'user' ? [{ ...step, by: 'container.yaml' }] : [])),
  ];
}

async function readTables(tree: MergedTree, readText: (path: string) => Promise<string>): Promise<UserTables> {
  const read = async (path: string) => (tree.entries.has(path) ? readText(path) : undefined);
  return {
    passwd: (await read('etc/passwd')) ?? '',
    group: (await read('etc/group')) ?? '',
    shadow: await read('etc/shadow'),
  };
}

/** Tables that changed, with the mode and group that the base gives them. */
function tableEntries(tree: MergedTree, before: UserTables, after: UserTables): GeneratedEntry[] {
  const tables = [
    { path: 'etc/passwd', old: before.passwd, text: after.passwd, mode: 0o644 },
    { path: 'etc/group', old: before.group, text: after.group, mode: 0o644 },
    { path: 'etc/shadow', old: before.shadow, text: after.shadow, mode: 0o600 },
  ];
  return tables.flatMap(({ path, old, text, mode }) => {
    if (text === undefined || text === old) return [];
    const below = tree.entries.get(path)?.entry ?? { mode, gid: 0 };
    return [{ path, kind: 'file', mode: below.mode, gid: below.gid, content: Buffer.from(text) }];
  });
}

function cacheEntry(cache: Uint8Array | undefined): GeneratedEntry[] {
  return cache === undefined ? [] : [{ path: 'etc/ld.so.cache', kind: 'file', mode: 0o644, content: cache }];
}

async function readTreeText(tree: MergedTree, layers: readonly ImageLayer[], path: string): Promise<string> {
  const { entry, source } = tree.entries.get(path)!;
  const layer = layers.find((other) => other === source)!;
  if (entry.type !== 'file') {
    throw new BuilditError('input-invalid', `Cannot read "/${printable(path)}" of ${layer.name}: expected a file`);
  }
  const chunks: Uint8Array[] = [];
  const content = (await layer.open())(entry);
  if (content instanceof Uint8Array) chunks.push(content);
  else for await (const chunk of content) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
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
