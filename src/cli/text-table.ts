import { textWidth } from './text-width.ts';

export interface TableColumn {
  readonly title: string;
  readonly align?: 'right';
}

/** Lines of a table whose columns are as wide as their widest cell; nothing is cut and no line ends in spaces. */
export function textTable(columns: readonly TableColumn[], rows: readonly (readonly string[])[]): string[] {
  const all = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, index) => all.reduce((width, row) => Math.max(width, textWidth(row[index] ?? '')), 0));
  return all.map((row) =>
    columns
      .map(({ align }, index) => {
        const cell = row[index] ?? '';
        const space = ' '.repeat(widths[index]! - textWidth(cell));
        return align === 'right' ? space + cell : cell + space;
      })
      .join('  ')
      .trimEnd(),
  );
}
