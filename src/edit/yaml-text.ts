/** What the core schema of YAML 1.2, or this format's readers, take for something else than a text. */
const RESERVED = /^(?:~|null|true|false|yes|no|on|off|---|\.\.\.)$/i;
const PLAIN = /^(?:[A-Za-z0-9_./]|--?[A-Za-z0-9])[^\u0000-\u001f\u007f-\u00a0\u2028\u2029\ufeff]*$/;

export interface YamlTextOptions {
  /** Inside `[]` or `{}`, where fewer characters can stand without quotes. */
  readonly flow?: boolean;
}

/** A text as one YAML scalar: without quotes where every reader takes it for just this text. */
export function yamlText(text: string, { flow = false }: YamlTextOptions = {}): string {
  const isPlain =
    PLAIN.test(text) &&
    !RESERVED.test(text) &&
    !/: | #|[: ]$/.test(text) &&
    !(flow && /[,[\]{}:]/.test(text)) &&
    !/^\.(?:inf|nan)$/i.test(text);
  // JSON's escapes are YAML's.
  return isPlain ? text : JSON.stringify(text);
}

/** A list of texts on one line: `[a, "b c"]`. */
export function yamlFlowList(texts: readonly string[]): string {
  return `[${texts.map((text) => yamlText(text, { flow: true })).join(', ')}]`;
}
