/** Lines with their ends; the last one may lack it. */
export function textLines(content: string): readonly string[] {
  return content.match(/[^\n]*\n|[^\n]+$/g) ?? [];
}
