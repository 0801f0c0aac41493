/** The board on the page: cells with their marks, moved through and written into by keyboard, mouse or touch. */
import type { BoardLook } from './puzzles.js';

/** A board in an element of role grid. */
export class Board {
  readonly #element: HTMLElement;
  readonly #onKey: (cell: number, key: string) => boolean;
  readonly #onDraw: (cell: number, first: boolean) => void;
  #cells: HTMLElement[] = [];
  #chosen = 0;
  #side = 0;

  /**
   * `onKey` writes into a cell and returns whether the key had a meaning. `onDraw` gets the cells under the pointer.
   */
  constructor(
    element: HTMLElement,
    onKey: (cell: number, key: string) => boolean,
    onDraw: (cell: number, first: boolean) => void,
  ) {
    this.#element = element;
    this.#onKey = onKey;
    this.#onDraw = onDraw;
    element.setAttribute('role', 'grid');
    element.setAttribute('aria-label', 'Board');
    element.addEventListener('keydown', (event) => this.#keyDown(event));
    element.addEventListener('pointerdown', (event) => this.#draw(event, true));
    element.addEventListener('pointermove', (event) => {
      if (event.buttons === 1) this.#draw(event, false);
    });
  }

  /** The cell that the keyboard is at. */
  get chosen(): number {
    return this.#chosen;
  }

  show({ kind, side, block, cells }: BoardLook): void {
    if (side !== this.#side) this.#build(side);
    this.#element.classList.toggle('sudoku', kind === 'sudoku');
    cells.forEach(({ text, classes, label }, i) => {
      const cell = this.#cells[i]!;
      const [row, column] = [Math.floor(i / side) + 1, (i % side) + 1];
      cell.textContent = text;
      cell.className = [
        'cell',
        ...classes,
        ...(column === side ? ['edge-right'] : column % block[1] === 0 ? ['block-right'] : []),
        ...(row === side ? ['edge-bottom'] : row % block[0] === 0 ? ['block-bottom'] : []),
      ].join(' ');
      cell.setAttribute('aria-label', `row ${row}, column ${column}: ${label}`);
    });
  }

  /** Whether cells can be written into; if so, a drawing finger does not scroll. */
  set editing(on: boolean) {
    this.#element.classList.toggle('editing', on);
    this.#element.setAttribute('aria-readonly', String(!on));
    this.#element.style.touchAction = on ? 'none' : '';
  }

  #build(side: number): void {
    this.#side = side;
    this.#chosen = 0;
    this.#element.style.setProperty('--side', String(side));
    this.#element.setAttribute('aria-rowcount', String(side));
    this.#element.setAttribute('aria-colcount', String(side));
    this.#cells = [];
    const rows = Array.from({ length: side }, () => {
      const row = document.createElement('div');
      row.setAttribute('role', 'row');
      for (let column = 0; column < side; column++) {
        const cell = document.createElement('div');
        cell.setAttribute('role', 'gridcell');
        cell.tabIndex = this.#cells.length === 0 ? 0 : -1;
        this.#cells.push(cell);
        row.append(cell);
      }
      return row;
    });
    this.#element.replaceChildren(...rows);
  }

  #choose(cell: number): void {
    this.#cells[this.#chosen]!.tabIndex = -1;
    this.#chosen = cell;
    this.#cells[cell]!.tabIndex = 0;
    this.#cells[cell]!.focus({ preventScroll: true });
  }

  #keyDown(event: KeyboardEvent): void {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const side = this.#side;
    const [row, column] = [Math.floor(this.#chosen / side), this.#chosen % side];
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowUp: [Math.max(row - 1, 0), column],
      ArrowDown: [Math.min(row + 1, side - 1), column],
      ArrowLeft: [row, Math.max(column - 1, 0)],
      ArrowRight: [row, Math.min(column + 1, side - 1)],
      Home: [row, 0],
      End: [row, side - 1],
    };
    const to = moves[event.key];
    if (to !== undefined) this.#choose(to[0] * side + to[1]);
    else if (!this.#onKey(this.#chosen, event.key)) return;
    event.preventDefault();
  }

  #draw(event: PointerEvent, first: boolean): void {
    const cell = this.#cells.indexOf(document.elementFromPoint(event.clientX, event.clientY) as HTMLElement);
    if (cell < 0) return;
    if (first || cell !== this.#chosen) {
      this.#choose(cell);
      this.#onDraw(cell, first);
    }
    if (first) event.preventDefault(); // the focus is set already, and the text must not be selected
  }
}
