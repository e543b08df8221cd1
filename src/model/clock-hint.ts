/** For what fails where the clock of this machine is wrong; `nowMs` is what it says. */
export function clockHint(nowMs: number): string {
  const day = new Date(nowMs).toISOString().slice(0, 10);
  return `the clock of this machine says ${day}: where that is wrong, correct it ("buildit doctor" names the commands)`;
}
