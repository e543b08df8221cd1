import type { DescribedCommand } from './described-command.ts';

/** A zsh script with a description beside each verb and option. */
export function zshCompletion(commands: readonly DescribedCommand[]): string {
  const verbs = commands.filter(({ words }) => words.length === 1);
  return `#compdef buildit
_buildit() {
  local context state state_descr line
  typeset -A opt_args
  _arguments -C '1: :->verb' '*:: :->rest'
  case $state in
    verb)
      local -a verbs
      verbs=(
${verbs.map(({ words, description }) => `        ${quoted(`${words[0]}:${description}`)}`).join('\n')}
      )
      _alternative 'verbs:command:{_describe command verbs}' 'directories:directory:_files -/' ;;
    rest)
      case $line[1] in
${verbs.map((command) => `        ${command.words[0]}) ${argumentsOf(command, commands)} ;;`).join('\n')}
        *) _files ;;
      esac ;;
  esac
}
_buildit "$@"
`;
}

function argumentsOf(command: DescribedCommand, commands: readonly DescribedCommand[]): string {
  const children = commands.filter(({ words }) => words.length > 1 && words[0] === command.words[0]);
  const choices = [...command.subcommands, ...command.argumentChoices];
  const options = [command, ...children].flatMap(({ options: own }) => own);
  const specs = [...new Map(options.map((option) => [option.long, option])).values()].map((option) => {
    const value = option.takesValue
      ? `: :${option.choices.length > 0 ? `(${option.choices.join(' ')})` : '_files'}`
      : '';
    return quoted(`${option.long}[${option.description.replace(/[[\]]/g, '\\$&')}]${value}`);
  });
  const words = choices.length > 0 ? quoted(`1: :(${choices.join(' ')})`) : "'*: :_files'";
  return `_arguments ${[...specs, words].join(' ')}`;
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
