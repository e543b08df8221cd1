import type { DescribedCommand } from './described-command.ts';

/** A bash script: verbs first, then the options of the verb on the line, values where they are known, else files. */
export function bashCompletion(commands: readonly DescribedCommand[]): string {
  const verbs = commands.filter(({ words }) => words.length === 1).map(({ words }) => words[0]);
  const parents = commands.flatMap(({ words, subcommands }) => (subcommands.length > 0 ? [words.join(' ')] : []));
  const choices = new Map(
    commands.flatMap(({ options }) => options.filter((o) => o.choices.length > 0).map((o) => [o.long, o.choices])),
  );
  return `# bash completion for buildit
_buildit() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} verb= word index options= words=
  for ((index = 1; index < COMP_CWORD; index++)); do
    word=\${COMP_WORDS[index]}
    case $word in -*) ;; *)
      if [[ -z $verb ]]; then verb=$word; elif [[ ' ${parents.join(' ')} ' == *" $verb "* ]]; then verb="$verb $word"; fi ;;
    esac
  done
  case $previous in
${[...choices].map(([long, values]) => `    ${long}) COMPREPLY=($(compgen -W '${values.join(' ')}' -- "$current")); return ;;`).join('\n')}
  esac
  case $verb in
${commands.map(bashCase).join('\n')}
    *) options='${bashOptions(commands.find(({ words }) => words[0] === 'build'))}' ;;
  esac
  [[ -z $verb ]] && words='${verbs.join(' ')} help'
  if [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  else
    mapfile -t COMPREPLY < <(compgen -W "$words" -- "$current"; compgen -f -- "$current")
  fi
}
complete -o filenames -F _buildit buildit
`;
}

function bashCase(command: DescribedCommand): string {
  const words = [...command.subcommands, ...command.argumentChoices].join(' ');
  return `    '${command.words.join(' ')}') options='${bashOptions(command)}' words='${words}' ;;`;
}

function bashOptions(command: DescribedCommand | undefined): string {
  return [...(command?.options ?? []).map(({ long }) => long), '--help'].join(' ');
}
