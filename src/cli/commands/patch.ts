import { resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { BuilditError } from '../../model/errors.ts';
import { printable } from '../../model/names.ts';
import type { BuildOptions } from '../../pipeline/contract.ts';
import type { PatchTarget } from '../../pipeline/patch-package.ts';
import type { FinishedPatch, OpenedPatch } from '../../pipeline/patch-session.ts';
import type { PatchState } from '../../pipeline/patch-states.ts';
import type { RefreshedPatch } from '../../pipeline/refresh-patches.ts';
import { checkDirectory } from '../check-directory.ts';
import type { CliContext } from '../cli-context.ts';
import type { Finish } from '../command-line.ts';
import { addContainerOptions, type ContainerOptions } from '../common-options.ts';
import { containerAtOrAbove } from '../container-directory.ts';
import { exitCodeOf } from '../exit-code.ts';
import { examples } from '../help-text.ts';
import { hasTerminal, openUserShell } from '../patch/open-user-shell.ts';
import { patchStateLines, sizeOfPatch } from '../patch/patch-lines.ts';
import { shownPath } from '../render-error.ts';
import { type Session, withSession } from '../session.ts';
import { buildOptions } from './build.ts';

interface PatchFlags extends ContainerOptions {
  readonly at?: string;
}

interface TreeFlags extends PatchFlags {
  readonly directory?: string;
  readonly fresh?: true;
  readonly shell: boolean;
}

interface NewFlags extends TreeFlags {
  readonly description?: string;
  readonly author?: string;
  readonly origin?: string;
  readonly forwarded?: string;
  readonly lastUpdate?: string;
}

interface AddFlags extends PatchFlags {
  readonly description?: string;
  readonly fixes?: readonly string[];
  readonly strip: number;
  readonly name?: string;
}

export function addPatchCommand(program: Command, cli: CliContext, finish: Finish): void {
  const command = program.command('patch').description("make, change and check the patches of a package's source");
  addNew(command, cli, finish);
  addEdit(command, cli, finish);
  addRefresh(command, cli, finish);
  addAdd(command, cli, finish);
  addStatus(command, cli, finish);
}

const PACKAGE = 'the directory of a package: one that a container embeds, or a recipe in a repository';

function addTarget(command: Command): Command {
  return addContainerOptions(
    command.option('--at <version>', 'of a recipe in a repository: this version, not the newest'),
  );
}

function addTree(command: Command): Command {
  return addTarget(command)
    .option('--directory <dir>', 'open the tree there instead of in .buildit/patch/NAME below the package')
    .option('--fresh', 'forget what an earlier session of this patch left')
    .option('--no-shell', 'only open the tree: `buildit patch refresh` finishes');
}

function addNew(patch: Command, cli: CliContext, finish: Finish): void {
  const command = patch
    .command('new')
    .description('open the patched source in your shell; what you change there becomes a new patch')
    .argument('<package>', PACKAGE)
    .argument('<name>', 'what the patch is called: patches/NAME.patch');
  addTree(command)
    .option('--description <text>', 'what it is for; its first line is a summary (default: the name)')
    .option('--author <name>', 'who made it (default: as git would sign a commit)')
    .option('--origin <text>', 'where it comes from: "upstream, URL", "backport, URL", "vendor" or "other, …"')
    .option('--forwarded <text>', 'whether it was sent upstream: a URL, "no" or "not-needed"')
    .option('--last-update <date>', 'a date for its header, which has none otherwise')
    .addHelpText('after', () =>
      examples(
        ['buildit patch new nginx-prod/pkgs/nginx fix-x', 'change the source, exit, and patches/fix-x.patch is there'],
        [
          'buildit patch new --no-shell repos/main/app-misc/hello greet',
          'for an editor; `buildit patch refresh` ends it',
        ],
      ),
    )
    .action((typed: string, name: string, flags: NewFlags) => {
      const author = async () => {
        const { gitIdentity } = await import('../../system/git-identity.ts');
        return flags.author ?? gitIdentity(resolve(cli.cwd, typed), cli.environment);
      };
      return workInTree(cli, finish, {
        typed,
        name,
        kind: 'new',
        flags,
        facts: async () => facts(flags, await author()),
      });
    });
}

function facts({ description, origin, forwarded, lastUpdate }: NewFlags, author: string | undefined) {
  return { ...(description === undefined ? {} : { description }), author, origin, forwarded, lastUpdate };
}

function addEdit(patch: Command, cli: CliContext, finish: Finish): void {
  const command = patch
    .command('edit')
    .description('open the source with the patches up to this one, and write what you change into it')
    .argument('<package>', PACKAGE)
    .argument('<name>', 'the patch: its name or its path');
  addTree(command)
    .addHelpText('after', () =>
      examples(['buildit patch edit nginx-prod/pkgs/nginx https-only', 'its header stays, later patches are checked']),
    )
    .action((typed: string, name: string, flags: TreeFlags) =>
      workInTree(cli, finish, { typed, name, kind: 'edit', flags, facts: async () => ({}) }),
    );
}

interface TreeWork {
  readonly typed: string;
  readonly name: string;
  readonly kind: 'new' | 'edit';
  readonly flags: TreeFlags;
  readonly facts: () => Promise<ReturnType<typeof facts> | Record<string, never>>;
}

/** Opens a tree, hands it to the user's shell where there is a terminal, and makes a patch of it when that ends with 0. */
async function workInTree(cli: CliContext, finish: Finish, work: TreeWork): Promise<void> {
  const { typed, name, kind, flags } = work;
  const directory = flags.directory === undefined ? undefined : resolve(cli.cwd, flags.directory);
  const opened = await withSession(cli, flags, async (session) => {
    const { openPatch } = await import('../../pipeline.ts');
    const { options, target } = await patchOptions(cli, typed, flags, session);
    const request = { kind, name, facts: await work.facts(), directory, isFresh: flags.fresh === true };
    const tree = await openPatch(options, target, request);
    session.remark(openedLines(cli, tree));
    if (!flags.shell || !hasTerminal(cli)) {
      session.result([tree.tree]);
      session.remark([`Change it, then: ${finishLine(cli, typed, tree, flags)}`]);
      return undefined;
    }
    session.remark([`Change it and leave the shell: "exit" writes ${tree.key}, "exit 1" does not`]);
    return tree;
  });
  if (opened === undefined) return;
  const code = await openUserShell(cli, opened.tree, { BUILDIT_PATCH: opened.name });
  await withSession(cli, flags, async (session) => {
    if (code !== 0) {
      session.remark([
        `The shell ended with ${code}: nothing is written, and the tree stays as it is`,
        `Go on with: ${finishLine(cli, typed, opened, flags)}`,
      ]);
      finish(code);
      return;
    }
    await finishTree(cli, finish, session, { typed, name: opened.name, flags });
  });
}

function openedLines(cli: CliContext, { tree, isContinued, later }: OpenedPatch): string[] {
  const shown = printable(shownPath(tree, cli.cwd));
  return [
    isContinued ? `The tree in ${shown} is still open, as you left it` : `The source is in ${shown}`,
    ...(later.length === 0 ? [] : [`Not in it, because they apply later: ${later.map(printable).join(', ')}`]),
  ];
}

function finishLine(cli: CliContext, typed: string, { name, tree }: OpenedPatch, { directory }: TreeFlags): string {
  const where = directory === undefined ? '' : ` --directory=${printable(shownPath(resolve(tree, '..'), cli.cwd))}`;
  return `buildit patch refresh${where} ${printable(typed)} ${name}`;
}

/** Answers whether a tree was open. */
async function finishTree(
  cli: CliContext,
  finish: Finish,
  session: Session,
  { typed, name, flags }: { typed: string; name: string; flags: PatchFlags & { readonly directory?: string } },
): Promise<boolean> {
  const { finishPatch } = await import('../../pipeline.ts');
  const { options, target } = await patchOptions(cli, typed, flags, session);
  const directory = flags.directory === undefined ? undefined : resolve(cli.cwd, flags.directory);
  const finished = await finishPatch(options, target, { name, directory });
  if (finished === undefined) return false;
  if (flags.json === true) session.document(finished);
  else session.result(finishedLines(finished));
  reportLater(session, finish, finished.later, flags);
  return true;
}

function finishedLines(finished: FinishedPatch): string[] {
  const { patch, state, isListed, leftOut } = finished;
  const aside = leftOut.length === 0 ? [] : [`Left out of it: ${leftOut.map(printable).join(', ')}`];
  if (state === 'unchanged') return [`${patch}: nothing was changed, nothing is written`, ...aside];
  return [`${patch} written: ${sizeOfPatch(finished)}`, ...(isListed ? ['pkg.yaml changed with it'] : []), ...aside];
}

/** Patches behind the one that was written; one that does not apply any more is exit code 12. */
function reportLater(session: Session, finish: Finish, later: readonly PatchState[], { json }: PatchFlags): void {
  if (later.length > 0 && json !== true) session.result(['Patches behind it:', ...patchStateLines(later)]);
  if (!later.every(isUsable)) finish(PATCH_REJECTED);
}

const PATCH_REJECTED = exitCodeOf(new BuilditError('patch-rejected', ''));

function isUsable({ state }: PatchState): boolean {
  return state === 'clean' || state === 'offset';
}

function addRefresh(patch: Command, cli: CliContext, finish: Finish): void {
  const command = patch
    .command('refresh')
    .description('finish an open tree; else rewrite patches for the source as it is, without offsets')
    .argument('<package>', PACKAGE)
    .argument('[name]', 'only this one (default: every open tree, or else every patch of the package)');
  addTarget(command)
    .option('--directory <dir>', 'where the tree of NAME was opened with --directory')
    .option('--json', 'print one JSON document')
    .addHelpText('after', () =>
      examples(
        ['buildit patch refresh nginx-prod/pkgs/nginx fix-x', 'write what was changed in the tree of fix-x'],
        ['buildit patch refresh nginx-prod/pkgs/nginx', 'no patch has an offset any more; headers stay'],
      ),
    )
    .action((typed: string, name: string | undefined, flags: PatchFlags & { readonly directory?: string }) =>
      withSession(cli, flags, async (session) => {
        const { openSessions } = await import('../../patching/open-tree.ts');
        checkDirectory(cli.cwd, typed, 'pkg.yaml');
        const open = name === undefined ? await openSessions(resolve(cli.cwd, typed)) : [name];
        const done: boolean[] = [];
        for (const one of open) done.push(await finishTree(cli, finish, session, { typed, name: one, flags }));
        if (done.includes(true)) return;
        if (flags.directory !== undefined) throw noTree(flags.directory);
        const { refreshPatches } = await import('../../pipeline.ts');
        const { options, target } = await patchOptions(cli, typed, flags, session);
        const patches = await refreshPatches(options, target, name);
        if (flags.json === true) session.document({ patches });
        else session.result(patches.map(refreshedLine));
      }),
    );
}

function noTree(directory: string): BuilditError {
  return new BuilditError(
    'file-missing',
    `Cannot finish "${printable(directory)}": expected the tree of this patch there, found none`,
  );
}

function refreshedLine({ patch, state, offsets }: RefreshedPatch): string {
  const moved = offsets.length === 0 ? '' : ` (${offsets.join(', ')})`;
  const texts = { rewritten: `rewritten${moved}`, unchanged: 'unchanged', left: `left as it is, behind a URL${moved}` };
  return printable(`${patch}: ${texts[state]}`);
}

function addAdd(patch: Command, cli: CliContext, finish: Finish): void {
  const command = patch
    .command('add')
    .description('add a patch from a URL or a file, if it applies')
    .argument('<package>', PACKAGE)
    .argument('<from>', 'an https URL, which is pinned by its checksum, or a file, which is copied into patches/');
  addTarget(command)
    .option('--description <text>', 'what it is for (default: what it says itself)')
    .option('--fixes <id>', 'a vulnerability it mends: CVE-…; may be repeated', vulnerability)
    .option('--strip <n>', 'path elements to take off its names, as `patch -p`', stripCount, 1)
    .option('--name <name>', 'what the file is called in patches/ instead of its own name')
    .option('--json', 'print one JSON document')
    .addHelpText('after', () =>
      examples(
        ['buildit patch add nginx-prod/pkgs/nginx ~/fix.patch', 'copied to patches/fix.patch'],
        [
          'buildit patch add nginx-prod/pkgs/nginx https://example.org/1.patch --fixes CVE-2025-23419',
          'pinned in pkg.yaml',
        ],
      ),
    )
    .action((typed: string, from: string, flags: AddFlags) =>
      withSession(cli, flags, async (session) => {
        const { addPatch } = await import('../../pipeline.ts');
        const { options, target } = await patchOptions(cli, typed, flags, session);
        const isUrl = /^[a-z][a-z0-9+.-]*:/i.test(from);
        const { description, fixes = [], strip, name } = flags;
        const { state, later, isListed } = await addPatch(options, target, {
          ...{ description, fixes, strip, name },
          from: isUrl ? { kind: 'url', url: from } : { kind: 'file', path: resolve(cli.cwd, from) },
        });
        if (flags.json === true) session.document({ ...state, later, isListed });
        else {
          const listed = isListed ? ['pkg.yaml changed with it'] : [];
          session.result([`${printable(state.patch)} added`, ...listed, ...patchStateLines([state])]);
        }
        reportLater(session, finish, later, flags);
      }),
    );
}

function vulnerability(text: string, earlier: readonly string[] = []): readonly string[] {
  if (!/^[A-Za-z0-9][A-Za-z0-9._:-]{0,63}$/.test(text))
    throw new InvalidArgumentError('expected an id such as CVE-2025-23419.');
  return [...earlier, text];
}

function stripCount(text: string): number {
  if (!/^(?:1?[0-9]|20)$/.test(text)) throw new InvalidArgumentError('expected a number from 0 to 20.');
  return Number(text);
}

function addStatus(patch: Command, cli: CliContext, finish: Finish): void {
  const command = patch
    .command('status')
    .description('say of each patch whether it applies, and where it does not')
    .argument('<package>', PACKAGE);
  addTarget(command)
    .option('--json', 'print it as one JSON document')
    .addHelpText('after', () =>
      examples(
        ['buildit patch status nginx-prod/pkgs/nginx', 'exit code 12 where one does not apply'],
        ['buildit patch status --at=1.26.3 repos/main/www-servers/nginx', 'with another version of the recipe'],
      ),
    )
    .action((typed: string, flags: PatchFlags) =>
      withSession(cli, flags, async (session) => {
        const { patchStatus } = await import('../../pipeline.ts');
        const { options, target } = await patchOptions(cli, typed, flags, session);
        const status = await patchStatus(options, target);
        if (flags.json === true) session.document(status);
        else {
          const { name, version, patches, open } = status;
          session.result([
            `${name}-${version}`,
            ...(patches.length === 0 ? ['no patches'] : patchStateLines(patches)),
            ...open.map((one) => `the tree of ${one} is open`),
          ]);
        }
        if (!status.patches.every(isUsable)) finish(PATCH_REJECTED);
      }),
    );
}

/** A package belongs to the container above it, whose configuration, versions and pins count; a recipe to nobody. */
async function patchOptions(
  cli: CliContext,
  typed: string,
  flags: PatchFlags,
  session: Session,
): Promise<{ options: BuildOptions; target: PatchTarget }> {
  checkDirectory(cli.cwd, typed, 'pkg.yaml');
  const directory = resolve(cli.cwd, typed);
  const container = containerAtOrAbove(directory);
  const holds = container === undefined ? 'pkg.yaml' : 'container.yaml';
  const options = await buildOptions(cli, container ?? directory, flags, session, { holds });
  return { options, target: { directory, version: flags.at } };
}
