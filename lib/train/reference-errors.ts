/** How far quantities are from the reference's: the largest error of each, beside its tolerance. */

/** How far one quantity is from the reference. */
export interface QuantityReport {
  readonly quantity: string;
  /** Largest difference found; NaN counts as infinite. */
  readonly error: number;
  readonly tolerance: number;
  readonly passed: boolean;
}

/** Collects the largest error of each quantity. */
export class Errors {
  readonly #found = new Map<string, { error: number; tolerance: number; passed: boolean }>();

  absolute(quantity: string, mine: ArrayLike<number>, theirs: ArrayLike<number>, tolerance: number): void {
    this.#add(
      quantity,
      largest(mine, theirs, () => 1),
      tolerance,
    );
  }

  relative(
    quantity: string,
    mine: readonly number[],
    theirs: readonly (number | undefined)[],
    tolerance: number,
  ): void {
    this.#add(
      quantity,
      largest(
        mine,
        theirs.map((value) => value ?? NaN),
        (value) => Math.max(Math.abs(value), 1e-3),
      ),
      tolerance,
    );
  }

  /** Root mean square of the difference, divided by `scale`. */
  rootMeanSquare(quantity: string, mine: Float32Array, theirs: Float32Array, tolerance: number, scale: number): void {
    const error =
      mine.length === theirs.length ? rootMeanSquare(mine.map((value, i) => value - theirs[i]!)) / scale : Infinity;
    this.#add(quantity, Number.isNaN(error) ? Infinity : error, tolerance);
  }

  missing(quantity: string, name: string): void {
    this.#add(`${quantity}: ${name}`, Infinity, 0);
  }

  report(): QuantityReport[] {
    return [...this.#found].map(([quantity, found]) => ({ quantity, ...found }));
  }

  #add(quantity: string, error: number, tolerance: number): void {
    const before = this.#found.get(quantity);
    const passed = error <= tolerance && (before?.passed ?? true);
    // Keep the larger error, in itself or relative to its tolerance.
    const [now, most] = [share(error, tolerance), before === undefined ? -1 : share(before.error, before.tolerance)];
    const worse = before === undefined || now > most || (now === most && error > before.error);
    this.#found.set(quantity, worse ? { error, tolerance, passed } : { ...before, passed });
  }
}

/** The part of its tolerance that an error takes; Infinity for any error where none is allowed. */
function share(error: number, tolerance: number): number {
  return error === 0 ? 0 : error / tolerance;
}

function largest(mine: ArrayLike<number>, theirs: ArrayLike<number>, scale: (value: number) => number): number {
  if (mine.length !== theirs.length) return Infinity;
  let most = 0;
  for (let i = 0; i < mine.length; i++) {
    const error = Math.abs(mine[i]! - theirs[i]!) / scale(theirs[i]!);
    if (!(error <= most)) most = Number.isNaN(error) ? Infinity : error;
  }
  return most;
}

/** The root of the mean of the squares; 0 for none. */
export function rootMeanSquare(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / Math.max(values.length, 1));
}
