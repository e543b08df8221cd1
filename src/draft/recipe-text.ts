import { yamlFlowList, yamlText } from '../edit/yaml-text.ts';
import { printable } from '../model/names.ts';
import {
  DRAFT_FIELDS,
  DRAFT_PHASES,
  type DraftDependencies,
  type DraftField,
  type DraftFlag,
  type DraftNote,
  type DraftSource,
  type RecipeDraft,
} from './recipe-draft.ts';

const WIDTH = 100;
const MARKS = { todo: 'TODO(import): ', check: 'Check: ', remark: '' } as const;

/** The text of a pkg.yaml, with each note as a comment above its field. */
export function recipeText(draft: RecipeDraft): string {
  const fields = fieldLines(draft);
  const lines = DRAFT_FIELDS.flatMap((field) => {
    const notes = draft.notes.filter(({ at }) => at === field);
    return [...notes.flatMap(noteLines), ...(fields[field] ?? [])];
  });
  return `${['---', ...lines].join('\n')}\n`;
}

/** Comment lines; what came from elsewhere cannot end the comment. */
export function noteLines({ kind, text }: DraftNote): string[] {
  const lines: string[] = [];
  let line = MARKS[kind].trimEnd();
  for (const word of printable(text).split(' ')) {
    if (line !== '' && line.length + word.length + 3 > WIDTH) {
      lines.push(line);
      line = kind === 'todo' ? `  ${word}` : word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => `# ${one}`);
}

function fieldLines(draft: RecipeDraft): Partial<Record<DraftField, readonly string[]>> {
  const { flags = {}, configure = [], environment = {}, phases = {}, patches = {} } = draft;
  const scalar = (key: string, value: string | undefined) =>
    value === undefined ? [] : [`${key}: ${yamlText(value)}`];
  return {
    name: scalar('name', draft.name),
    description: scalar('description', draft.description),
    homepage: scalar('homepage', draft.homepage),
    license: scalar('license', draft.license),
    version: scalar('version', draft.version),
    source: sourceLines(draft.sources),
    class: scalar('class', draft.class),
    flags: below(
      'flags',
      Object.entries(flags).flatMap(([name, flag]) => flagLines(name, flag)),
    ),
    configure: configure.length === 0 ? [] : listLines('configure', configure),
    dependencies: below('dependencies', dependencyLines(draft.dependencies)),
    environment: below(
      'environment',
      Object.entries(environment).map(([name, value]) => `${name}: ${yamlText(value)}`),
    ),
    phases: below(
      'phases',
      DRAFT_PHASES.flatMap((name) => (phases[name] === undefined ? [] : scriptLines(name, phases[name]))),
    ),
    patches: below(
      'patches',
      Object.entries(patches).map(([path, text]) => `${yamlText(path)}: ${yamlText(text)}`),
    ),
  };
}

function below(key: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : [`${key}:`, ...lines.map((line) => (line === '' ? '' : `  ${line}`))];
}

function sourceLines(sources: readonly DraftSource[]): string[] {
  const [only, second] = sources.map((source) =>
    Object.entries(source).flatMap(([key, value]) => (value === undefined ? [] : [`${key}: ${yamlText(value)}`])),
  );
  if (only === undefined) return [];
  if (second === undefined) return below('source', only);
  return below(
    'source',
    sources.flatMap((source) => {
      const lines = Object.entries(source).flatMap(([key, value]) =>
        value === undefined ? [] : [`${key}: ${yamlText(value)}`],
      );
      return lines.map((line, index) => `${index === 0 ? '- ' : '  '}${line}`);
    }),
  );
}

function listLines(key: string, items: readonly string[]): string[] {
  const short = `${key}: ${yamlFlowList(items)}`;
  return short.length <= WIDTH
    ? [short]
    : below(
        key,
        items.map((item) => `- ${yamlText(item)}`),
      );
}

function dependencyLines(dependencies: DraftDependencies | undefined): string[] {
  return (['build', 'link', 'run', 'test'] as const).flatMap((kind) => {
    const atoms = dependencies?.[kind] ?? [];
    return atoms.length === 0 ? [] : listLines(kind, [...new Set(atoms)]);
  });
}

function flagLines(name: string, flag: DraftFlag): string[] {
  const { description, on = [], off = [], requires = [], conflicts = [] } = flag;
  const configure =
    off.length === 0
      ? on.length === 0
        ? []
        : listLines('configure', on)
      : below('configure', [...(on.length === 0 ? [] : listLines('on', on)), ...listLines('off', off)]);
  return below(yamlText(name), [
    `default: ${flag.default ? 'on' : 'off'}`,
    ...(description === undefined ? [] : [`description: ${yamlText(description)}`]),
    ...(requires.length === 0 ? [] : listLines('requires', requires)),
    ...(conflicts.length === 0 ? [] : listLines('conflicts', conflicts)),
    ...configure,
    ...below('dependencies', dependencyLines(flag.dependencies)),
  ]);
}

/** A script of several lines as a block, of one line as a text. */
function scriptLines(name: string, script: string): string[] {
  const text = script.trimEnd();
  if (!text.includes('\n')) return [`${name}: ${yamlText(text)}`];
  // The first line's own spaces would be taken for the indentation of the block.
  const indicator = /^\s/.test(text) ? '|2' : '|';
  return [`${name}: ${indicator}`, ...text.split('\n').map((line) => (line.trim() === '' ? '' : `  ${line}`))];
}
