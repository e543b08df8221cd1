import type { DescribedCommand } from './described-command.ts';

/** A fish script: one `complete` for each verb and each option. */
export function fishCompletion(commands: readonly DescribedCommand[]): string {
  const lines = commands.flatMap((command) => {
    const above = command.words.slice(0, -1);
    const name = command.words.at(-1)!;
    const where = above.length === 0 ? '__fish_use_subcommand' : seen(above[0]!);
    return [
      `complete -c buildit -n '${where}' -a ${name} -d ${quoted(command.description)}`,
      ...command.options.map((option) => {
        const short = option.short === undefined ? '' : ` -s ${option.short.replace(/^-/, '')}`;
        const value = option.takesValue ? ' -r' : '';
        const choices = option.choices.length === 0 ? '' : ` -f -a ${quoted(option.choices.join(' '))}`;
        const names = `${short} -l ${option.long.replace(/^--/, '')}`;
        return `complete -c buildit -n '${seen(name)}'${names}${value}${choices} -d ${quoted(option.description)}`;
      }),
      ...command.argumentChoices.map((choice) => `complete -c buildit -n '${seen(name)}' -f -a ${choice}`),
    ];
  });
  return `# fish completion for buildit\n${lines.join('\n')}\n`;
}

function seen(word: string): string {
  return `__fish_seen_subcommand_from ${word}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}
