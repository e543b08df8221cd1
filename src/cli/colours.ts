import pc from 'picocolors';

export type Colours = ReturnType<typeof pc.createColors>;

/** NO_COLOR (any non-empty value, no-color.org) wins over FORCE_COLOR, and that over whether a terminal reads. */
export function coloursFor(isTerminal: boolean, environment: Readonly<Record<string, string | undefined>>): Colours {
  return pc.createColors(wantsColour(isTerminal, environment));
}

function wantsColour(isTerminal: boolean, environment: Readonly<Record<string, string | undefined>>): boolean {
  if ((environment.NO_COLOR ?? '') !== '') return false;
  const forced = environment.FORCE_COLOR;
  if (forced !== undefined) return forced !== '0' && forced !== 'false';
  return isTerminal && environment.TERM !== 'dumb';
}
