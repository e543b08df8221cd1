/** The text without the run of one character at its end; linear, where the pattern `x+$` begins anew at each `x`. */
export function withoutTrailing(text: string, character: string): string {
  let end = text.length;
  while (end > 0 && text[end - 1] === character) end -= 1;
  return text.slice(0, end);
}
