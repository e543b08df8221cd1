/** Lines with their ends; the last one may lack it. */
export function textLines(content: string): string[] {
  const lines: string[] = [];
  for (let start = 0; start < content.length; ) {
    const end = content.indexOf('\n', start);
    const next = end < 0 ? content.length : end + 1;
    lines.push(content.slice(start, next));
    start = next;
  }
  return lines;
}
