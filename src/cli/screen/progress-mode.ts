export const PROGRESS_MODES = ['auto', 'tty', 'plain', 'github', 'gitlab', 'json'] as const;
export type ProgressChoice = (typeof PROGRESS_MODES)[number];
export type ProgressMode = Exclude<ProgressChoice, 'auto'>;

/** `auto` is a live view where a terminal reads, the groups of the CI service that runs this, else plain lines. */
export function progressMode(
  choice: ProgressChoice,
  errorsToTerminal: boolean,
  environment: Readonly<Record<string, string | undefined>>,
): ProgressMode {
  if (choice !== 'auto') return choice;
  if (environment.GITHUB_ACTIONS === 'true') return 'github';
  if (environment.GITLAB_CI === 'true') return 'gitlab';
  return errorsToTerminal && environment.TERM !== 'dumb' ? 'tty' : 'plain';
}
