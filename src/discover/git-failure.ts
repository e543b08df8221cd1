import { BuilditError, type ErrorCode } from '../model/errors.ts';
import { printable } from '../model/names.ts';
import { shownUrl } from '../system/http.ts';

/** A git repository that could not be fetched. */
export class GitFailure extends BuilditError {
  /** What was found instead, for lists of places tried. */
  readonly answer: string;

  constructor(
    url: string,
    answer: string,
    { hint, code = 'unreachable' }: { hint?: string | undefined; code?: ErrorCode } = {},
  ) {
    super(code, `Cannot fetch "${shownUrl(url)}" with git: expected a repository, found ${answer}`, { hint });
    this.answer = answer;
  }
}

export function gitMissing(url: string): GitFailure {
  const hint = 'install it: sudo apt install git (or dnf, apk, pacman)';
  return new GitFailure(url, 'no git on this machine', { hint, code: 'configuration-invalid' });
}

const KNOWN: readonly (readonly [RegExp, string, string?])[] = [
  [
    /could not read (Username|Password)|Authentication failed|error: 401/i,
    'authentication wanted, or nothing of that name',
  ],
  [/error: 403/i, '403 (forbidden)'],
  [/repository '[^']*' not found|error: 404/i, '404 (not there)'],
  [/couldn't find remote ref|not our ref|unadvertised object/i, 'no such branch, tag or commit'],
  [/Could not resolve (host|proxy)/i, 'an unknown host name'],
  [/Connection refused|Failed to connect|Couldn't connect/i, 'connection refused'],
  [
    /certificate|SSL|TLS/i,
    'a certificate that is not trusted',
    'NODE_EXTRA_CA_CERTS=FILE adds a certificate authority; check the clock',
  ],
  [
    /unable to update url base from redirection|redirect|transport '[^']*' not allowed|Protocol "[^"]*" (?:not|disabled)/i,
    'a redirect that is not followed',
  ],
  [/Operation too slow|timed out/i, 'no answer in time'],
  [
    /not valid: is this a git repository|invalid server response|expected flush|bad line length|protocol error/i,
    'no git repository',
  ],
  [
    /File size limit exceeded|File too large|fatal: (?:index-pack|write error)|invalid index-pack|Out of memory|mmap failed/i,
    'more than is taken',
  ],
];

/** Sorts what git complained about. The text itself is from elsewhere: cut, printable, without addresses. */
export function gitFailure(url: string, complaint: string): GitFailure {
  const [, answer, hint] = KNOWN.find(([pattern]) => pattern.test(complaint)) ?? [];
  if (answer !== undefined) return new GitFailure(url, answer, { hint });
  const line = complaint.split('\n').find((text) => /^(fatal|error): /.test(text)) ?? complaint.split('\n', 1)[0] ?? '';
  const shown = printable(line.replace(/^\w+: /, '').replace(/(?<!\S)[a-z]\S*:\/\/\S+/gi, '…')).slice(0, 200);
  return new GitFailure(url, shown === '' ? 'an end without words' : shown);
}
