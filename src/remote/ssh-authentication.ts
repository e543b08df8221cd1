import { readFileSync } from 'node:fs';
import type { AuthHandlerMiddleware, BaseAgent, ParsedKey } from 'ssh2';
import { BuilditError } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { isSecurityKey, keysForSystemSsh } from './keys-for-system-ssh.ts';
import { sshArguments } from './ssh-arguments.ts';
import type { SshSettings } from './ssh-settings.ts';

type Ssh2 = typeof import('ssh2');
type AnyAuthMethod = Exclude<Parameters<Parameters<AuthHandlerMiddleware>[2]>[0], string>;

export interface SshAuthenticationOptions {
  readonly onNotice?: ((text: string) => void) | undefined;
  readonly ask?: ((question: string) => Promise<string>) | undefined;
}

/** How one host is told who is there. Kept over reconnections, so that nobody is asked twice. */
export interface SshAuthentication {
  /** For one connection of ssh2. `onPause` is told when a person is asked, and when they have answered. */
  handler(onPause: (paused: boolean) => void): AuthHandlerMiddleware;
  /** What the host refused, or why nothing could be offered. */
  failure(cause: unknown): BuilditError;
  /** There is a key that only the system's ssh can log in with; known once all others were refused. */
  readonly isBeyond: boolean;
}

/**
 * The order of ssh: keys of the agent that belong to an identity file, the agent's others (unless `IdentitiesOnly`), the
 * identity files, and a password only where there is somebody to ask.
 */
export function createSshAuthentication(
  ssh2: Ssh2,
  settings: SshSettings,
  { onNotice, ask }: SshAuthenticationOptions,
): SshAuthentication {
  const who = printable(`${settings.user}@${settings.named}`);
  const problems: string[] = [];
  const offered = new Set<string>();
  const unlocked = new Map<string, Promise<ParsedKey | undefined>>();
  let beyond: readonly string[] = [];
  let password: string | undefined;

  const asked = async (question: string, onPause: (paused: boolean) => void) => {
    onPause(true);
    return ask!(question).finally(() => onPause(false));
  };
  const unlock = async (file: string, onPause: (paused: boolean) => void): Promise<ParsedKey | undefined> => {
    const text = textOf(file);
    if (text === undefined) return undefined;
    let key = ssh2.utils.parseKey(text);
    if (key instanceof Error && /no passphrase given/.test(key.message)) {
      if (ask === undefined) {
        problems.push(`${file} has a passphrase and there is no terminal to ask on (ssh-add it to an agent)`);
        return undefined;
      }
      key = ssh2.utils.parseKey(text, await asked(`Passphrase of ${printable(file)}: `, onPause));
    }
    const only = Array.isArray(key) ? key[0] : key;
    if (only instanceof Error || only === undefined || !only.isPrivateKey()) {
      problems.push(`${file} cannot be used (${printable(only instanceof Error ? only.message : 'no private key')})`);
      return undefined;
    }
    return only;
  };

  async function* methods(
    onPause: (paused: boolean) => void,
    allowed: () => readonly string[],
  ): AsyncGenerator<AnyAuthMethod> {
    const username = settings.user;
    beyond = await keysForSystemSsh(settings);
    const inAgent = await agentKeys(ssh2, settings, (problem) => {
      problems.push(problem);
      onNotice?.(problem);
    });
    const blobs = new Set(inAgent.keys.map((key) => key.getPublicSSH().toString('base64')));
    if (inAgent.agent !== undefined && inAgent.keys.length > 0) {
      offered.add(`${inAgent.keys.length} of the agent`);
      yield { type: 'agent', username, agent: inAgent.agent };
    }
    for (const file of settings.identityFiles) {
      const publicKey = publicKeyOf(ssh2, file);
      if ((publicKey !== undefined && blobs.has(publicKey)) || isSecurityKey(file)) continue;
      if (!unlocked.has(file)) unlocked.set(file, unlock(file, onPause));
      const key = await unlocked.get(file);
      if (key === undefined || blobs.has(key.getPublicSSH().toString('base64'))) continue;
      offered.add(file);
      yield { type: 'publickey', username, key };
    }
    // The system's ssh asks itself, after its own keys.
    if (ask === undefined || beyond.length > 0 || !allowed().includes('password')) return;
    password ??= await asked(`Password for ${who}: `, onPause);
    offered.add('a password');
    yield { type: 'password', username, password };
  }

  return {
    handler(onPause) {
      let left: readonly string[] = [];
      const sequence = methods(onPause, () => left);
      return (methodsLeft, _partial, next) => {
        // The first question is which methods there are.
        if (methodsLeft === null) return next({ type: 'none', username: settings.user });
        left = methodsLeft;
        sequence.next().then(
          ({ value, done }) => next(done === true ? (false as never) : value),
          () => next(false as never),
        );
      };
    },
    failure(cause) {
      password = undefined;
      const refused = offered.size === 0 ? 'no key to offer' : `that ${[...offered].join(', ')} were refused`;
      const found = beyond.length === 0 ? refused : `${refused}, and ${beyond.join(', ')} for the system's ssh alone`;
      return new BuilditError(
        'authentication-failed',
        `Cannot log in as "${who}": expected a key that the host accepts, found ${found}`,
        {
          details: [...new Set(problems)].map((problem) => printable(problem)),
          hint:
            beyond.length === 0
              ? `the host must have your public key; "ssh -v ${sshArguments(settings)}" shows what it says; ` +
                'with "driver: system" at this place all that your ssh can do counts'
              : 'install openssh-client: the system\'s ssh uses such keys, always with "driver: system" at this place',
          cause,
        },
      );
    },
    get isBeyond() {
      return beyond.length > 0;
    },
  };
}

function textOf(file: string): Buffer | undefined {
  try {
    return readFileSync(file);
  } catch {
    return undefined;
  }
}

/** The public half in base64, from `FILE.pub`. */
function publicKeyOf(ssh2: Ssh2, file: string): string | undefined {
  const text = textOf(`${file}.pub`);
  const parsed = text === undefined ? undefined : ssh2.utils.parseKey(text);
  const key = Array.isArray(parsed) ? parsed[0] : parsed;
  return key === undefined || key instanceof Error ? undefined : key.getPublicSSH().toString('base64');
}

interface AgentKeys {
  readonly agent: BaseAgent | undefined;
  readonly keys: readonly ParsedKey[];
}

/** An agent that shows its keys in the right order, and only those that may be offered. */
async function agentKeys(ssh2: Ssh2, settings: SshSettings, onProblem: (text: string) => void): Promise<AgentKeys> {
  if (settings.agent === undefined) return { agent: undefined, keys: [] };
  const real = ssh2.createAgent(settings.agent);
  const all = await new Promise<readonly ParsedKey[]>((resolve) => {
    real.getIdentities((error, keys) => {
      if (error) onProblem(`the agent at ${settings.agent} does not answer`);
      resolve(
        (keys ?? []).flatMap((key) => {
          const parsed = ssh2.utils.parseKey(key as Buffer);
          return parsed instanceof Error ? [] : parsed;
        }),
      );
    });
  });
  const wanted = settings.identityFiles.flatMap((file) => publicKeyOf(ssh2, file) ?? []);
  const isWanted = (key: ParsedKey) => wanted.includes(key.getPublicSSH().toString('base64'));
  const others = settings.identitiesOnly ? [] : all.filter((key) => !isWanted(key));
  const keys = [...all.filter(isWanted), ...others];
  // ssh2 tells agents by their prototype.
  const agent = Object.assign(Object.create(ssh2.BaseAgent.prototype) as BaseAgent, {
    getIdentities: ((callback) => callback(undefined, [...keys])) as BaseAgent['getIdentities'],
    sign: real.sign.bind(real),
  });
  return { agent, keys };
}
