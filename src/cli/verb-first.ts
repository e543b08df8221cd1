import type { Command, Option } from 'commander';

/**
 * `buildit --offline plan DIR` is `buildit plan --offline DIR`: the verb may stand behind options of its own. Which options
 * take the next argument is what each verb declares. Arguments come back unchanged where no word is a verb.
 */
export function verbFirst(argv: readonly string[], program: Command): readonly string[] {
  const end = argv.indexOf('--');
  const before = end < 0 ? argv : argv.slice(0, end);
  const at = before.findIndex((argument, index) => {
    const verb = findVerb(program, argument);
    return verb !== undefined && areOptionsOf(before.slice(0, index), optionsOf(verb));
  });
  const index = at >= 0 ? at : firstVerb(before, program);
  return index < 0 ? argv : [argv[index]!, ...argv.slice(0, index), ...argv.slice(index + 1)];
}

/** Undefined for what is no verb; the program itself stands for `help`, which takes any option. */
function findVerb(program: Command, word: string): Command | undefined {
  if (word === 'help') return program;
  return program.commands.find((command) => command.name() === word || command.aliases().includes(word));
}

/** Every option of a verb and of the verbs below it, by its names. */
function optionsOf(command: Command): ReadonlyMap<string, Option> {
  const own = command.options.flatMap((option) =>
    [option.long, option.short].flatMap((name): [string, Option][] =>
      typeof name === 'string' ? [[name, option]] : [],
    ),
  );
  return new Map([...command.commands.flatMap((child) => [...optionsOf(child)]), ...own]);
}

/** Whether these are options of this verb alone, each with its value. */
function areOptionsOf(words: readonly string[], options: ReadonlyMap<string, Option>): boolean {
  for (let index = 0; index < words.length; index += 1) {
    const option = openOption(words[index]!, options);
    if (option === undefined) return false;
    const next = words[index + 1];
    const takesNext =
      option !== 'complete' && (option.required || (option.optional && next?.startsWith('-') === false));
    if (takesNext) index += 1;
    if (index >= words.length) return false;
  }
  return true;
}

/**
 * The option at the end of a word, whose value may be the next one: `--store`, `-j`, and `-kj` for `-k -j`. `complete` for
 * a word that holds its value: `--store=x`, `-j4`. Undefined for what is no option of these.
 */
function openOption(word: string, options: ReadonlyMap<string, Option>): Option | 'complete' | undefined {
  if (word.startsWith('--')) {
    const name = word.split('=', 1)[0]!;
    return options.has(name) && name !== word ? 'complete' : options.get(name);
  }
  if (!/^-./.test(word)) return undefined;
  const letters = [...word.slice(1)];
  for (const [index, letter] of letters.entries()) {
    const option = options.get(`-${letter}`);
    if (option === undefined) return undefined;
    if (index === letters.length - 1) return option;
    if (option.required || option.optional) return 'complete';
  }
  return undefined;
}

/** Where an option is unknown to every verb, the first word that is no value by anybody's declaration. */
function firstVerb(words: readonly string[], program: Command): number {
  const options = optionsOf(program);
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index]!;
    if (!word.startsWith('-') || word === '-') return findVerb(program, word) === undefined ? -1 : index;
    const option = openOption(word, options);
    if (option !== undefined && option !== 'complete' && option.required) index += 1;
  }
  return -1;
}
