/** A run of lines that gives way to another, counted from 0, ends exclusive; one of the two may be empty. */
export interface LineChange {
  readonly oldStart: number;
  readonly oldEnd: number;
  readonly newStart: number;
  readonly newEnd: number;
}

/** Steps after which a part of two texts is divided where the search has come furthest, not where it would end. */
const MAXIMUM_STEPS = 512;

/**
 * The changes that make one list of lines of another, in order: as few as there can be (Myers, "An O(ND) difference
 * algorithm and its variations", section 4b), but for texts with thousands of differences, where time counts more.
 */
export function diffLines(older: readonly string[], newer: readonly string[]): readonly LineChange[] {
  const numbers = new Map<string, number>();
  const numbered = (line: string): number => {
    const known = numbers.get(line);
    if (known !== undefined) return known;
    numbers.set(line, numbers.size);
    return numbers.size - 1;
  };
  const search = new Search(Int32Array.from(older, numbered), Int32Array.from(newer, numbered));
  search.run();
  return search.changes();
}

/** A part of both texts, ends exclusive. */
interface Box {
  oldStart: number;
  oldEnd: number;
  newStart: number;
  newEnd: number;
}

/** Marks lines as removed and added, dividing the texts until each part is the same, or there in one of them alone. */
class Search {
  readonly #old: Int32Array;
  readonly #new: Int32Array;
  readonly #removed: Uint8Array;
  readonly #added: Uint8Array;
  /** By diagonal (old line − new line), from `#zero` on: the old line that a path has come to. */
  readonly #forward: Int32Array;
  readonly #backward: Int32Array;
  readonly #zero: number;

  constructor(older: Int32Array, newer: Int32Array) {
    this.#old = older;
    this.#new = newer;
    this.#removed = new Uint8Array(older.length);
    this.#added = new Uint8Array(newer.length);
    this.#forward = new Int32Array(older.length + newer.length + 3);
    this.#backward = new Int32Array(older.length + newer.length + 3);
    this.#zero = newer.length + 1;
  }

  run(): void {
    const waiting: Box[] = [{ oldStart: 0, oldEnd: this.#old.length, newStart: 0, newEnd: this.#new.length }];
    for (let box = waiting.pop(); box !== undefined; box = waiting.pop()) {
      this.#trim(box);
      const { oldStart, oldEnd, newStart, newEnd } = box;
      if (oldStart === oldEnd || newStart === newEnd) {
        this.#mark(box);
        continue;
      }
      const [oldMiddle, newMiddle] = this.#middle(box);
      const isWhole =
        (oldMiddle === oldEnd && newMiddle === newEnd) || (oldMiddle === oldStart && newMiddle === newStart);
      if (isWhole) this.#mark(box);
      else {
        waiting.push({ oldStart: oldMiddle, oldEnd, newStart: newMiddle, newEnd });
        waiting.push({ oldStart, oldEnd: oldMiddle, newStart, newEnd: newMiddle });
      }
    }
  }

  changes(): readonly LineChange[] {
    const changes: LineChange[] = [];
    for (let old = 0, added = 0; old < this.#old.length || added < this.#new.length; ) {
      const [oldStart, newStart] = [old, added];
      while (this.#removed[old] === 1) old += 1;
      while (this.#added[added] === 1) added += 1;
      if (old > oldStart || added > newStart) changes.push({ oldStart, oldEnd: old, newStart, newEnd: added });
      old += 1;
      added += 1;
    }
    return changes;
  }

  #mark({ oldStart, oldEnd, newStart, newEnd }: Box): void {
    this.#removed.fill(1, oldStart, oldEnd);
    this.#added.fill(1, newStart, newEnd);
  }

  /** Leaves out what both parts begin and end with. */
  #trim(box: Box): void {
    const isSame = (old: number, added: number) => this.#old[old] === this.#new[added];
    while (box.oldStart < box.oldEnd && box.newStart < box.newEnd && isSame(box.oldStart, box.newStart)) {
      box.oldStart += 1;
      box.newStart += 1;
    }
    while (box.oldStart < box.oldEnd && box.newStart < box.newEnd && isSame(box.oldEnd - 1, box.newEnd - 1)) {
      box.oldEnd -= 1;
      box.newEnd -= 1;
    }
  }

  /**
   * A point that a shortest way from one corner of the box to the other passes through: where a path from the beginning
   * and one from the end first overlap. Each round makes both one change longer, on every diagonal they can be on.
   */
  #middle({ oldStart, oldEnd, newStart, newEnd }: Box): [number, number] {
    const forward = this.#forward;
    const backward = this.#backward;
    const zero = this.#zero;
    const lowest = oldStart - newEnd;
    const highest = oldEnd - newStart;
    const start = oldStart - newStart;
    const end = oldEnd - newEnd;
    const meetsGoingForward = (start - end) % 2 !== 0;
    let [fromLow, fromHigh, toLow, toHigh] = [start, start, end, end];
    forward[zero + start] = oldStart;
    backward[zero + end] = oldEnd;
    for (let steps = 1; ; steps += 1) {
      if (fromLow > lowest) forward[zero + --fromLow - 1] = -1;
      else fromLow += 1;
      if (fromHigh < highest) forward[zero + ++fromHigh + 1] = -1;
      else fromHigh -= 1;
      for (let diagonal = fromHigh; diagonal >= fromLow; diagonal -= 2) {
        const at = zero + diagonal;
        let old = Math.max(forward[at - 1]! + 1, forward[at + 1]!);
        while (old < oldEnd && old - diagonal < newEnd && this.#old[old] === this.#new[old - diagonal]) old += 1;
        forward[at] = old;
        if (meetsGoingForward && diagonal >= toLow && diagonal <= toHigh && backward[at]! <= old) {
          return [old, old - diagonal];
        }
      }
      if (toLow > lowest) backward[zero + --toLow - 1] = FAR;
      else toLow += 1;
      if (toHigh < highest) backward[zero + ++toHigh + 1] = FAR;
      else toHigh -= 1;
      for (let diagonal = toHigh; diagonal >= toLow; diagonal -= 2) {
        const at = zero + diagonal;
        let old = Math.min(backward[at - 1]!, backward[at + 1]! - 1);
        while (old > oldStart && old - diagonal > newStart && this.#old[old - 1] === this.#new[old - diagonal - 1])
          old -= 1;
        backward[at] = old;
        if (!meetsGoingForward && diagonal >= fromLow && diagonal <= fromHigh && old <= forward[at]!) {
          return [old, old - diagonal];
        }
      }
      if (steps >= MAXIMUM_STEPS) return this.#furthest({ oldStart, oldEnd, newStart, newEnd }, fromLow, fromHigh);
    }
  }

  #furthest({ oldEnd, newStart, newEnd, oldStart }: Box, low: number, high: number): [number, number] {
    let best: [number, number] = [oldStart, newStart];
    for (let diagonal = high; diagonal >= low; diagonal -= 2) {
      const old = Math.min(this.#forward[this.#zero + diagonal]!, oldEnd, newEnd + diagonal);
      if (old - diagonal < newStart || old < oldStart) continue;
      if (old + old - diagonal > best[0] + best[1]) best = [old, old - diagonal];
    }
    return best;
  }
}

const FAR = 2 ** 31 - 1;
