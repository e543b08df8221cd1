import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { BuilditError } from '../../model/errors.ts';
import { printable } from '../../model/names.ts';
import { parseSignerTime } from '../../signing/signer-time.ts';
import type { SigningPaths } from '../../signing/signing-paths.ts';
import type { CliContext } from '../cli-context.ts';
import { addCommonOptions, type CommonOptions } from '../common-options.ts';
import { examples } from '../help-text.ts';
import { parseAge } from '../quantities.ts';
import { shownPath } from '../render-error.ts';
import { configFor, withSession } from '../session.ts';

const GRACE_MS = 90 * 86_400_000;

export function addKeyCommand(program: Command, cli: CliContext): void {
  const command = program.command('key').description('make a key that signs, and say whose signatures count');
  addNew(command, cli);
  addList(command, cli);
  addTrust(command, cli);
  addUntrust(command, cli);
  addRotate(command, cli);
  addExport(command, cli);
}

interface KeySettings {
  readonly paths: SigningPaths;
  /** The key that the configuration names. */
  readonly key: string | undefined;
}

async function settingsFor(cli: CliContext, flags: CommonOptions): Promise<KeySettings> {
  const [config, { signingPaths }] = await Promise.all([
    configFor(cli, '.', flags),
    import('../../signing/signing-paths.ts'),
  ]);
  const { allowedSigners } = config.trust;
  return { paths: signingPaths(cli.environment, process.getuid?.(), { allowedSigners }), key: config.sign.key };
}

interface NewFlags extends CommonOptions {
  readonly file?: string;
  readonly comment?: string;
}

function addNew(key: Command, cli: CliContext): void {
  const command = key.command('new').description("make a key of buildit's own: Ed25519, without a passphrase");
  addCommonOptions(command)
    .option('--file <file>', 'where the private key goes, instead of the usual place')
    .option('--comment <text>', 'whose key it is, instead of user@host', oneLine)
    .addHelpText('after', () =>
      examples(
        ['buildit key new', 'a key that signs what is published from now on'],
        ['buildit key new --file ci-key --comment ci@example.org', 'a key to be used elsewhere'],
      ),
    )
    .action((flags: NewFlags) =>
      withSession(cli, flags, async (session) => {
        const [{ createKeyFile }, { machineName }, { fingerprint }, { paths }] = await Promise.all([
          import('../../signing/create-key-file.ts'),
          import('../../signing/machine-key.ts'),
          import('../../signing/public-key.ts'),
          settingsFor(cli, flags),
        ]);
        const path = flags.file === undefined ? paths.signingKey : resolve(cli.cwd, flags.file);
        const made = await createKeyFile(path, flags.comment ?? machineName());
        if (made === undefined) throw keyIsThere(path);
        session.result([`${fingerprint(made)} ${shownPath(path, cli.cwd)}`]);
        session.remark([
          flags.file === undefined
            ? 'It signs from now on, unless the configuration names another (sign: {key: …})'
            : `Use it with sign: {key: ${printable(path)}}`,
          `Others trust it with: buildit key trust ${shownPath(`${path}.pub`, cli.cwd)}`,
        ]);
      }),
    );
}

function keyIsThere(path: string): BuilditError {
  return new BuilditError('cannot-write', `Cannot make the key "${printable(path)}": expected no file, found one`, {
    hint: 'a key is never overwritten; buildit key rotate replaces it, and --file names another place',
  });
}

function addList(key: Command, cli: CliContext): void {
  const command = key
    .command('list')
    .description('show the own keys, whose signatures count, and which keys were revoked');
  addCommonOptions(command)
    .option('--json', 'print them as one JSON document')
    .addHelpText('after', () => examples(['buildit key list', 'who is trusted, for what and until when']))
    .action((flags: CommonOptions) =>
      withSession(cli, flags, async (session) => {
        const [{ readKeyOverview, keyOverviewLines }, { paths, key: named }] = await Promise.all([
          import('../key/key-overview.ts'),
          settingsFor(cli, flags),
        ]);
        const overview = await readKeyOverview(paths, {
          key: named,
          environment: cli.environment,
          now: new Date(),
        });
        if (flags.json === true) return session.document(overview);
        session.result(keyOverviewLines(overview));
        session.remark(overview.problems.map((problem) => `warning: ${problem}`));
      }),
    );
}

interface TrustFlags extends CommonOptions {
  readonly principal?: string;
  readonly namespaces?: readonly string[];
  readonly validBefore?: Date;
}

function addTrust(key: Command, cli: CliContext): void {
  const command = key
    .command('trust')
    .description('believe what a key signs from now on')
    .argument('<key...>', 'a .pub file, what `buildit key export` printed, the key itself, or - for standard input');
  addCommonOptions(command)
    .option('--principal <name>', 'whose key it is, such as alice@example.org')
    .option('--namespaces <list>', 'what it counts for (default: buildit-package,buildit-index)', namespaceList)
    .option('--valid-before <time>', 'until when: YYYY-MM-DD, or YYYYMMDD[HHMM[SS]][Z] as ssh writes it', signerTime)
    .addHelpText('after', () =>
      examples(
        ['buildit key trust alice.pub --principal alice@example.org', "believe alice's builds"],
        ['ssh builder buildit key export | buildit key trust -', 'believe what another machine builds'],
        ['buildit key trust ci.pub --principal ci --valid-before 2027-01-31', 'for a while'],
      ),
    )
    .action((words: readonly string[], flags: TrustFlags) =>
      withSession(cli, flags, async (session) => {
        const [{ readGivenKeys }, { trustKey }, { fingerprint }, { paths }] = await Promise.all([
          import('../key/read-given-keys.ts'),
          import('../../signing/trust-key.ts'),
          import('../../signing/public-key.ts'),
          settingsFor(cli, flags),
        ]);
        const { principal, namespaces, validBefore } = flags;
        const signers = await readGivenKeys(words, { cwd: cli.cwd, terms: { principal, namespaces, validBefore } });
        for (const signer of signers) {
          const outcome = await trustKey(paths, signer);
          const name = `${printable(signer.principals.join(','))} ${fingerprint(signer.publicKey)}`;
          const what = `trusted for ${signer.namespaces?.join(',')}${untilText(signer.validBefore)}`;
          session.result([`${name} is ${outcome === 'unchanged' ? 'already ' : ''}${what}`]);
        }
      }),
    );
}

function untilText(time: Date | undefined): string {
  return time === undefined ? '' : ` until ${time.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

interface UntrustFlags extends CommonOptions {
  readonly revoke?: true;
}

function addUntrust(key: Command, cli: CliContext): void {
  const command = key
    .command('untrust')
    .description('believe a key, or all keys of somebody, no longer')
    .argument('<who>', 'a fingerprint SHA256:…, or a name as `buildit key list` shows it');
  addCommonOptions(command)
    .option('--revoke', 'write the keys to revoked_keys too: they never count again, whoever names them')
    .addHelpText('after', () =>
      examples(
        ['buildit key untrust alice@example.org', 'alice left'],
        ['buildit key untrust SHA256:… --revoke', 'a key was stolen'],
      ),
    )
    .action((who: string, flags: UntrustFlags) =>
      withSession(cli, flags, async (session) => {
        const [{ untrustKeys }, { paths }] = await Promise.all([
          import('../../signing/untrust-keys.ts'),
          settingsFor(cli, flags),
        ]);
        const untrusted = await untrustKeys(paths, who, { revoke: flags.revoke === true });
        session.result(
          untrusted.map(({ principals, fingerprint }) => {
            const names = principals.length === 0 ? '' : `${printable(principals.join(','))} `;
            return `${names}${fingerprint} is ${flags.revoke === true ? 'revoked' : 'trusted no longer'}`;
          }),
        );
      }),
    );
}

interface RotateFlags extends CommonOptions {
  readonly grace: number;
  readonly file?: string;
}

function addRotate(key: Command, cli: CliContext): void {
  const command = key.command('rotate').description("put a new key in the place of buildit's own");
  addCommonOptions(command)
    .addOption(
      new Option('--grace <age>', 'how long what the old key signed still counts')
        .argParser(age)
        .default(GRACE_MS, '90d'),
    )
    .option('--file <file>', 'the private key, where it is not in the usual place')
    .addHelpText('after', () =>
      examples(
        ['buildit key rotate', 'once a year'],
        ['buildit key rotate --grace 0d', 'the old key may be in other hands; revoke it as well'],
      ),
    )
    .action((flags: RotateFlags) =>
      withSession(cli, flags, async (session) => {
        const [{ rotateKey }, { fingerprint }, { USUAL_NAMESPACES }, { paths }] = await Promise.all([
          import('../../signing/rotate-key.ts'),
          import('../../signing/public-key.ts'),
          import('../key/read-given-keys.ts'),
          settingsFor(cli, flags),
        ]);
        const signingKey = flags.file === undefined ? paths.signingKey : resolve(cli.cwd, flags.file);
        const validBefore = new Date(Date.now() + flags.grace);
        const rotated = await rotateKey({ ...paths, signingKey }, { namespaces: USUAL_NAMESPACES, validBefore });
        session.remark([
          `${fingerprint(rotated.newKey)} signs from now on; ${fingerprint(rotated.oldKey)} counts${untilText(validBefore)}`,
          `The old private key lies in ${shownPath(rotated.oldPlace, cli.cwd)}: remove it when nothing needs it`,
          'Those who trust it need these lines in their allowed_signers (buildit key trust - reads them):',
        ]);
        session.result(rotated.lines);
      }),
    );
}

interface ExportFlags extends CommonOptions {
  readonly principal?: string;
  readonly key?: string;
}

function addExport(key: Command, cli: CliContext): void {
  const command = key.command('export').description('print the line of allowed_signers that trusts the own key');
  addCommonOptions(command)
    .option('--principal <name>', 'whose key it is, instead of what its comment says')
    .option('--key <key>', 'another key than the configured one: a file, agent:SHA256:…, env:NAME')
    .addHelpText('after', () =>
      examples(['buildit key export | ssh other buildit key trust -', 'let another machine believe this one']),
    )
    .action((flags: ExportFlags) =>
      withSession(cli, flags, async (session) => {
        const [{ exportedLine }, { key: named }] = await Promise.all([
          import('../key/exported-line.ts'),
          settingsFor(cli, flags),
        ]);
        const { principal } = flags;
        session.result([await exportedLine(flags.key ?? named, { environment: cli.environment, principal })]);
      }),
    );
}

function oneLine(text: string): string {
  if (text.length > 200 || printable(text) !== text) throw new InvalidArgumentError('expected one short line.');
  return text;
}

function namespaceList(text: string): readonly string[] {
  const namespaces = text.split(',');
  if (!namespaces.every((namespace) => /^[A-Za-z0-9@._*-]{1,100}$/.test(namespace)))
    throw new InvalidArgumentError('expected namespaces with commas between them, such as buildit-package.');
  return namespaces;
}

function signerTime(text: string): Date {
  try {
    return parseSignerTime(/^\d{4}-\d\d-\d\d$/.test(text) ? text.replaceAll('-', '') : text);
  } catch {
    throw new InvalidArgumentError('expected a time such as 2027-01-31 or 20270131120000Z.');
  }
}

function age(text: string): number {
  const parsed = parseAge(text);
  if (parsed === undefined) throw new InvalidArgumentError('expected a time such as 90d, 12h or 2w.');
  return parsed;
}
