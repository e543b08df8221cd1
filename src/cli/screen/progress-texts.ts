import { sizeText } from '../quantities.ts';
import type { RunningTask } from './running-tasks.ts';

/** How far a task is: how much of how much, at which rate, or what it says of itself where nothing is counted. */
export function progressTexts({ unit, done, total, rate, detail }: RunningTask): string[] {
  const details = detail === '' ? [] : [detail];
  if (total === undefined && (done === 0 || detail !== '')) return details;
  const amount = unit === 'bytes' ? sizeText : String;
  const rates = unit === 'bytes' && rate !== undefined && rate >= 1 ? [`${sizeText(rate)}/s`] : [];
  if (total === undefined || total === 0) return [amountText(amount(done), unit), ...rates, ...details];
  const percent = Math.min(100, Math.floor((done * 100) / total));
  return [`${amountText(`${amount(done)}/${amount(total)}`, unit)} ${percent}%`, ...rates, ...details];
}

function amountText(amount: string, unit: RunningTask['unit']): string {
  return unit === 'bytes' ? amount : `${amount} ${unit}`;
}
