import { missingInterpreter } from '../image/missing-interpreter.ts';
import { missingLocales } from '../image/missing-locale.ts';
import { missingProgram } from '../image/missing-program.ts';
import type { OciDefinition } from '../image/oci-config.ts';
import type { ImageContent } from '../image/prepare-content.ts';
import { draftNeeds, memberNeeds } from '../image/program-needs.ts';
import { imageEnvironment } from '../image/run-as.ts';
import type { SelectedImage } from '../image/select-members.ts';
import { findProgram, startedProgram } from '../image/started-program.ts';
import { type OwnedNeeds, unmetNeeds } from '../image/unmet-needs.ts';
import { unwritableDirectory } from '../image/unwritable-directory.ts';
import { printable } from '../model/names.ts';
import type { Run } from './prepare-run.ts';
import { skippedScriptNotes } from './skipped-scripts.ts';

/** Reports what images name or their programs need, and no package in them has. */
export async function warnOfImages(run: Run, selected: SelectedImage, content: ImageContent): Promise<void> {
  const { emit } = run.options.context;
  const { images } = run.definitions.container;
  const started = new Set<string>();
  for (const definition of images) {
    if (definition.kind !== 'oci') continue;
    await warnOfStart(run, content, definition);
    const path = findProgram(content.tree, definition, startedProgram(definition) ?? '');
    if (path !== undefined) started.add(path);
  }
  const locales = images.flatMap((definition) => missingLocales(imageEnvironment(definition), content.tree));
  const texts = locales.map(({ variable, value, package: name }) => {
    return `${variable} is ${printable(value)}, and no package of the image has that locale: debian/${name} has it`;
  });
  for (const text of new Set(texts)) emit({ kind: 'warning', text });
  for (const text of await skippedScriptNotes(run, selected.members)) emit({ kind: 'notice', text });
  for (const need of unmetNeeds(content.tree, await needsOf(run, selected, content, started))) emit(need);
}

/** Reports an image that cannot start what it is to start. */
async function warnOfStart({ options }: Run, content: ImageContent, definition: OciDefinition): Promise<void> {
  const warn = (text: string) => options.context.emit({ kind: 'warning', text: `the image is to start ${text}` });
  const made = unwritableDirectory(definition, content);
  if (made !== undefined) {
    const where = printable(made.directory);
    warn(`in ${where}, which is not in it: engines make it for root, and user ${made.uid} cannot write there`);
  }
  const program = missingProgram(definition, content.tree);
  if (program !== undefined) return warn(`${printable(program)}, and there is no such file in it`);
  const script = await missingInterpreter(definition, content);
  if (script === undefined) return;
  const [started, interpreter] = [printable(script.program), printable(script.interpreter)];
  warn(`${started}, a script for ${interpreter}, and there is no such program in it`);
}

/**
 * Scripts count of packages that were asked for: those of others are mostly never run. The program that an image starts
 * was reported already where it cannot run.
 */
async function needsOf(
  { store }: Run,
  { reasons }: SelectedImage,
  { layers, members }: ImageContent,
  started: ReadonlySet<string>,
): Promise<readonly OwnedNeeds[]> {
  const all: OwnedNeeds[] = [];
  for (const member of members) {
    const needs = await memberNeeds(store, member);
    const isRequested = reasons.get(member.name)?.some(({ kind }) => kind === 'requested') === true;
    all.push({ owner: member.name, needs: isRequested ? needs : { ...needs, scripts: [] } });
  }
  for (const layer of layers) {
    if (layer.member === undefined) all.push({ owner: undefined, needs: await draftNeeds(layer) });
  }
  return all.map(({ owner, needs }) => ({
    owner,
    needs: { ...needs, scripts: needs.scripts.filter(({ path }) => !started.has(path)) },
  }));
}
