/** The page: choose or draw a puzzle, watch the model think, search until it is sure, and run fifty at once. */
import { mazeToken } from '../data/maze.js';
import { sigmoid } from '../engine/losses.js';
import { Board } from './board.js';
import { drawChart } from './chart.js';
import { fasterThinker, Thinker, type RunningJob } from './client.js';
import type { ManyResult, ThinkResult } from './protocol.js';
import { emptyPuzzle, inks, judged, legendOf, lookOf, readPuzzle, type Kind, type ShownPuzzle } from './puzzles.js';
import { plural } from '../words.js';

/** Cycles that the switches offer. */
const cycleChoices = [1, 4, 16, 64] as const;

/** Least time that a playing page shows one cycle, milliseconds, so that the eye can follow. */
const shortestCycle = 200;

/** Limits of a search: most forms, and how many are computed at once. */
const searchLimits = { sudoku: { most: 32, seats: 2 }, maze: { most: 8, seats: 2 } } as const;

/** The page calls the model sure from a probability of nine in ten; in training the model halts from even odds. */
const sureLogit = Math.log(9);

/** Puzzles computed at once out of the fifty; between these parts the page can respond. */
const seatsOfMany = 5;

/** How long the page is left alone before it tries a faster backend, milliseconds. */
const patience = 3000;

const script = new URL('worker.js', import.meta.url);

function find<Found extends HTMLElement = HTMLElement>(id: string): Found {
  const element = document.getElementById(id);
  if (element === null) throw new Error(`the page has no element ${id}`);
  return element as Found;
}

const percent = (share: number): string => `${Math.round(100 * share)}\u00a0%`;
const certainty = ({ haltLogit }: ThinkResult): number => sigmoid(haltLogit);
const pause = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));

/** Shows an error, in one sentence, until something succeeds again. */
function notice(text: string): void {
  const element = find('notice');
  element.textContent = text;
  element.hidden = text === '';
}

/** Runs the work of a button or a key, and shows its failure on the page. */
function guarded(work: () => Promise<void>): void {
  work().catch((error: unknown) => notice(error instanceof Error ? error.message : String(error)));
}

/** A group of buttons of which one is chosen. */
function makeSwitch(
  element: HTMLElement,
  names: readonly string[],
  chosen: number,
  onChoice: (index: number) => void,
): void {
  const labels = names.map((name, index) => {
    const [label, input] = [document.createElement('label'), document.createElement('input')];
    Object.assign(input, { type: 'radio', name: element.id, checked: index === chosen });
    input.addEventListener('change', () => onChoice(index));
    label.append(input, name);
    return label;
  });
  element.replaceChildren(...labels);
}

/** Everything the page does, for one catalogue. */
class Page {
  readonly #kinds: readonly Kind[];
  readonly #board: Board;
  /** The current engine, and a faster one that will replace it. */
  #thinker: Thinker;
  #faster: Thinker | undefined;
  #kind: Kind;
  #level = 0;
  #at = -1;
  #puzzle: ShownPuzzle;
  #own = false;
  /** The ink of the drawing, and why the drawing is no puzzle yet ('' if it is one). */
  #ink = 0;
  #drawnBroken = '';
  #thoughts: ThinkResult[] = [];
  #shown = 0;
  #job: Promise<RunningJob<ThinkResult>> | undefined;
  #cycles = 16;
  #playing = false;
  /** Increases when the puzzle changes; results of earlier requests are then dropped. */
  #turn = 0;
  #searching = false;
  readonly #many = new Many();
  #manyCycles = 16;

  constructor(kinds: readonly Kind[], thinker: Thinker) {
    this.#kinds = kinds;
    this.#thinker = thinker;
    this.#kind = kinds[0]!;
    this.#puzzle = readPuzzle(this.#kind, this.#kind.puzzles[0]!.question);
    this.#board = new Board(
      find('board'),
      (cell, key) => this.#writeKey(cell, key),
      (cell) => this.#writeInk(cell),
    );
    this.#listen();
  }

  /** Fetches the weights of a kind and shows its first puzzle. */
  async open(kind: Kind): Promise<void> {
    const turn = this.#newTurn();
    this.#takeFaster();
    try {
      await this.#load(kind);
    } catch (error) {
      if (turn === this.#turn) this.#markKind(); // the previous kind stays
      throw error;
    }
    if (turn !== this.#turn) return; // another kind was chosen meanwhile
    this.#kind = kind;
    this.#level = 0;
    this.#at = -1;
    this.#ink = 0;
    this.#describeKind();
    this.#many.clear();
    this.#drawMany();
    this.#next();
    find('main').hidden = false;
  }

  #markKind(): void {
    const input = find('kinds').querySelectorAll('input')[this.#kinds.indexOf(this.#kind)];
    if (input !== undefined) input.checked = true;
  }

  /** Looks for a faster backend with the same answers, to replace the current one. */
  async speedUp(): Promise<void> {
    do await pause(patience);
    while (this.#busy); // the trial would slow the reader's own puzzle down
    const kind = this.#kind;
    const trial = kind.puzzles.slice(0, 4).map(({ question }) => readPuzzle(kind, question).question);
    this.#faster = await fasterThinker(this.#thinker, script, address(kind), trial);
  }

  /** Switches to a faster engine, if found. Called between puzzles only, since a thought cannot change its engine. */
  #takeFaster(): void {
    if (this.#faster === undefined) return;
    this.#thinker.retire(); // the fifty puzzles may go on with it
    this.#thinker = this.#faster;
    this.#faster = undefined;
    this.#describeEngine();
  }

  get #busy(): boolean {
    return this.#playing || this.#searching || this.#many.running;
  }

  #listen(): void {
    const names = this.#kinds.map(({ name, puzzle, side }) => (puzzle === 'maze' ? `${name} ${side}×${side}` : name));
    makeSwitch(find('kinds'), names, 0, (index) => guarded(() => this.open(this.#kinds[index]!)));
    makeSwitch(find('cycles'), cycleChoices.map(String), cycleChoices.indexOf(16), (index) => {
      this.#cycles = cycleChoices[index]!;
      this.#show();
    });
    makeSwitch(find('many-cycles'), cycleChoices.map(String), cycleChoices.indexOf(16), (index) => {
      this.#manyCycles = cycleChoices[index]!;
      this.#drawMany();
    });
    const on = (id: string, work: () => void | Promise<void>): void =>
      find(id).addEventListener('click', () => guarded(async () => work()));
    on('another', () => this.#next());
    on('own', () => this.#toggleOwn());
    on('empty', () => this.#write(emptyPuzzle(this.#kind)));
    on('think', () => this.#play());
    on('step', async () => {
      this.#playing = false;
      await this.#step();
    });
    on('reset', () => this.#start());
    on('search', () => this.#search());
    on('many', () => this.#runMany());
    find<HTMLSelectElement>('level').addEventListener('change', (event) => {
      this.#level = (event.target as HTMLSelectElement).selectedIndex;
      this.#at = -1;
      guarded(async () => this.#next());
    });
    find<HTMLInputElement>('cycle').addEventListener('input', (event) => {
      this.#playing = false;
      this.#shown = Number((event.target as HTMLInputElement).value);
      this.#show();
    });
    find('own-panel').addEventListener('submit', (event) => {
      event.preventDefault();
      guarded(async () => {
        const puzzle = readPuzzle(this.#kind, find<HTMLTextAreaElement>('own-text').value);
        await this.#take(puzzle, true);
      });
    });
  }

  #newTurn(): number {
    this.#playing = false;
    this.#searching = false;
    return ++this.#turn;
  }

  async #load(kind: Kind): Promise<void> {
    const [box, bar, text] = [find('loading'), find<HTMLProgressElement>('bar'), find('loading-text')];
    text.textContent = `Fetching the ${kind.name} model’s ${kind.parameters.toLocaleString('en')} weights …`;
    bar.value = 0;
    box.hidden = false;
    try {
      await this.#thinker.load(address(kind), (loaded, total) => {
        if (total > 0) bar.value = loaded / total;
      });
      notice('');
    } finally {
      box.hidden = true;
    }
  }

  /** The next puzzle of the level. */
  #next(): void {
    const ofLevel = this.#kind.puzzles.filter(({ level }) => level === this.#level);
    this.#at = (this.#at + 1) % ofLevel.length;
    guarded(() => this.#take(readPuzzle(this.#kind, ofLevel[this.#at]!.question), false));
  }

  async #take(puzzle: ShownPuzzle, own: boolean, broken = ''): Promise<void> {
    this.#puzzle = puzzle;
    this.#own = own;
    this.#drawnBroken = broken;
    notice(broken);
    await this.#start();
  }

  /** Returns to the unsolved puzzle. */
  async #start(): Promise<void> {
    this.#newTurn();
    const job = this.#job;
    this.#job = undefined;
    this.#thoughts = [];
    this.#shown = 0;
    find('search-text').textContent = '';
    this.#show();
    await (await job)?.stop();
    this.#takeFaster();
  }

  async #play(): Promise<void> {
    if (this.#playing) {
      this.#playing = false;
      this.#show();
      return;
    }
    if (this.#thoughts.length >= this.#cycles) await this.#start();
    const turn = this.#turn;
    this.#playing = true;
    this.#show();
    try {
      while (this.#playing && turn === this.#turn && this.#thoughts.length < this.#cycles) {
        const started = performance.now();
        await this.#step();
        if (this.#cycles > 1) await pause(Math.max(0, shortestCycle - (performance.now() - started)));
      }
    } finally {
      if (turn === this.#turn) {
        this.#playing = false;
        this.#show();
      }
    }
  }

  async #step(): Promise<void> {
    if (this.#drawnBroken !== '') throw new Error(this.#drawnBroken);
    const turn = this.#turn;
    this.#job ??= this.#thinker.start({
      kind: 'think',
      model: address(this.#kind),
      puzzle: this.#puzzle.question,
    });
    const thought = await (await this.#job).next();
    if (turn !== this.#turn || thought === undefined) return;
    this.#thoughts.push(thought);
    this.#shown = this.#thoughts.length;
    this.#show();
  }

  async #search(): Promise<void> {
    if (this.#searching) {
      this.#searching = false;
      return;
    }
    if (this.#drawnBroken !== '') throw new Error(this.#drawnBroken);
    const [turn, kind, { question, solution }] = [this.#turn, this.#kind, this.#puzzle];
    const { most, seats } = searchLimits[kind.puzzle];
    this.#playing = false;
    this.#searching = true;
    this.#show();
    const said = find('search-text');
    let found: ThinkResult | undefined;
    const job = await this.#thinker.start({
      kind: 'search',
      model: address(kind),
      puzzle: question,
      forms: kind.puzzle === 'maze' ? 'grid' : 'sudoku',
      most,
      seats,
      supervisionSteps: kind.cycles,
      threshold: sureLogit,
    });
    try {
      for (let last = await job.next(), step = last; this.#searching && turn === this.#turn; step = await job.next()) {
        if (step !== undefined) last = step;
        if (last === undefined) break;
        const { forms, passes: cycles, sure, surest: answer } = last;
        const logit = { prediction: answer.tokens, haltLogit: answer.haltLogit };
        const [tried, sureness] = [`${plural(forms, 'form')}, ${plural(cycles, 'cycle')}`, percent(certainty(logit))];
        if (step !== undefined && !sure) {
          said.textContent = `Tried ${tried}; the surest answer so far has a chance of ${sureness} …`;
          continue;
        }
        const right = solution === undefined ? undefined : answer.tokens.every((token, i) => token === solution[i]);
        const verdict = right === undefined ? '' : right ? ' It is right.' : ' But it is not the solution.';
        said.textContent = sure
          ? `Tried ${plural(forms, 'form')}, sure after ${plural(cycles, 'cycle')}: ${sureness}.${verdict}`
          : `Not sure: tried ${tried}, and the surest answer has a chance of ${sureness}.${verdict}`;
        found = logit;
        break;
      }
      if (turn === this.#turn && !this.#searching) said.textContent += ' Stopped.';
    } finally {
      await job.stop();
      if (turn === this.#turn) {
        this.#searching = false;
        this.#show();
        if (found !== undefined) this.#board.show(lookOf(this.#kind, { ...this.#puzzle, answer: found.prediction }));
      }
    }
  }

  async #runMany(): Promise<void> {
    if (this.#many.running) {
      this.#many.running = false;
      return;
    }
    await this.#many.run(this.#thinker, this.#kind, this.#manyCycles, () => this.#drawMany());
    this.#drawMany();
  }

  #drawMany(): void {
    const { solved, puzzles, sure, running } = this.#many;
    const upTo = this.#manyCycles;
    const shares = solved.map((count, i) => `${i + 1}: ${percent(count / puzzles)}`);
    drawChart(find('many-chart'), {
      label: `Share of puzzles solved after each cycle: ${shares.join(', ') || 'not run yet'}`,
      curves: [
        { look: 'right', name: 'solved', shares: solved.map((count) => count / puzzles) },
        { look: 'sure', name: 'sure', shares: sure.map((count) => count / puzzles) },
      ],
      cycles: Math.max(16, upTo, solved.length),
      scale: 'doubled',
      now: Math.min(upTo, solved.length),
    });
    const counts = cycleChoices
      .filter((cycle) => cycle <= solved.length)
      .map((cycle) => `${solved[cycle - 1]} after ${cycle === 1 ? '1 cycle' : cycle}`);
    const several = counts.length > 1 ? ` (${counts.join(', ')})` : '';
    const enough = solved.length >= upTo;
    const at = solved[upTo - 1];
    find('many-text').textContent =
      solved.length === 0
        ? running
          ? 'Running the first cycle …'
          : ''
        : enough && at !== undefined
          ? `After ${plural(upTo, 'cycle')}: ${at} of ${puzzles} solved${several}.`
          : `Cycle ${solved.length} of ${upTo}: ${solved.at(-1)} of ${puzzles} solved …`;
    const button = find<HTMLButtonElement>('many');
    button.textContent = running ? 'Stop' : solved.length === 0 ? 'Run' : enough ? 'Done' : 'Continue';
    button.disabled = !running && enough && solved.length > 0;
  }

  #toggleOwn(): void {
    const panel = find('own-panel');
    panel.hidden = !panel.hidden;
    find('own').setAttribute('aria-expanded', String(!panel.hidden));
    find('pad').hidden = panel.hidden;
    this.#board.editing = !panel.hidden;
  }

  get #editing(): boolean {
    return !find('own-panel').hidden;
  }

  #writeKey(cell: number, key: string): boolean {
    if (!this.#editing) return false;
    const wanted = key === 'Backspace' || key === 'Delete' || key === '0' || key === '.' ? ' ' : key.toLowerCase();
    const ink = inks(this.#kind).find((each) => each.key === wanted);
    if (ink === undefined) return false;
    this.#writeToken(cell, ink.token);
    return true;
  }

  /** Draws a maze with the chosen ink; in a Sudoku the pointer only selects the cell. */
  #writeInk(cell: number): void {
    if (this.#editing && this.#kind.puzzle === 'maze') this.#writeToken(cell, inks(this.#kind)[this.#ink]!.token);
  }

  #writeToken(cell: number, token: number): void {
    const tokens = this.#puzzle.question.slice();
    if (tokens[cell] === token) return;
    if (this.#kind.puzzle === 'maze' && token >= mazeToken.start)
      tokens.forEach((old, at) => {
        if (old === token) tokens[at] = mazeToken.free; // only one start and one goal
      });
    tokens[cell] = token;
    this.#write(tokens);
  }

  /** Shows a drawing. If it is no puzzle yet, says what is missing. */
  #write(tokens: Int32Array): void {
    let puzzle: ShownPuzzle = { question: tokens };
    let broken = '';
    try {
      puzzle = judged(tokens, this.#kind.puzzle);
    } catch (error) {
      broken = error instanceof Error ? error.message : String(error);
    }
    guarded(() => this.#take(puzzle, true, broken));
  }

  #describeKind(): void {
    const { puzzle, side, levels, parameters, trained, tested, cycles, run } = this.#kind;
    const select = find<HTMLSelectElement>('level');
    select.replaceChildren(...levels.map((_, level) => new Option(levelName(this.#kind, level))));
    find('level-label').hidden = levels.length < 2;
    const name = puzzle === 'maze' ? `maze of ${side}×${side}` : `${side}×${side} Sudoku`;
    find('own-label').textContent =
      puzzle === 'maze'
        ? `Draw on the board, or write ${side} rows here: # wall, . free, S start, G goal.`
        : `Write into the board, or paste ${side * side} characters here: digits, and . or 0 for blank.`;
    find('own-hint').textContent =
      puzzle === 'maze' ? 'Keys: arrows, #, space, S, G.' : 'Keys: arrows, digits, space to clear.';
    find('pad').replaceChildren(
      ...inks(this.#kind).map((ink, index) => {
        const button = document.createElement('button');
        Object.assign(button, { type: 'button', textContent: ink.name });
        button.addEventListener('click', () => {
          this.#ink = index;
          if (puzzle === 'sudoku') this.#writeToken(this.#board.chosen, ink.token);
          else this.#markInk();
        });
        return button;
      }),
    );
    this.#markInk();
    this.#board.editing = this.#editing;
    find('legend').replaceChildren(
      ...legendOf(puzzle).map(([{ text, classes }, meaning]) => {
        const [item, mark] = [document.createElement('li'), document.createElement('span')];
        mark.className = ['cell', ...classes].join(' ');
        mark.textContent = text;
        mark.setAttribute('aria-hidden', 'true');
        const holder = document.createElement('span');
        holder.className = puzzle;
        holder.append(mark);
        item.append(holder, meaning);
        return item;
      }),
    );
    const forms = puzzle === 'maze' ? 'turned and mirrored' : 'digits renamed, rows and columns moved';
    find('search-about').textContent = [
      `The same puzzle in another form (${forms}) is a new puzzle to the model.`,
      `It tries up to ${searchLimits[puzzle].most} forms, ${cycles} cycles each,`,
      'until it gives an answer a chance of more than 90\u00a0%.',
    ].join(' ');
    find('many-about').textContent = `${this.#kind.puzzles.length} puzzles that it was not trained on${
      levels.length > 1 ? ', from easy to hard' : ''
    }: how many are solved after each cycle?`;
    const inWords = (count: number): string => count.toLocaleString('en');
    find('about').textContent = [
      `A Tiny Recursive Model (arXiv 2510.04871) with ${inWords(parameters)} parameters for a ${name},`,
      `run with its real weights. It was trained from scratch on ${inWords(trained.puzzles)}`,
      `${sourceNames[trained.source] ?? trained.source} puzzles in ${inWords(trained.steps)} steps.`,
      tested === null
        ? `The record of its training run (${run}) is in the project’s history.`
        : `Its record says: ${(100 * tested.solved).toFixed(1)}\u00a0% of ${inWords(tested.puzzles)} test puzzles ` +
          `solved after ${cycles} cycles (${run}).`,
    ].join(' ');
    this.#describeEngine();
  }

  #describeEngine(): void {
    find('engine').textContent = `Engine: TensorFlow.js on ${this.#thinker.backend}, float32.`;
  }

  #markInk(): void {
    if (this.#kind.puzzle !== 'maze') return;
    find('pad')
      .querySelectorAll('button')
      .forEach((button, index) => button.setAttribute('aria-pressed', String(index === this.#ink)));
  }

  #show(): void {
    const [thoughts, shown, puzzle] = [this.#thoughts, this.#shown, this.#puzzle];
    const thought = thoughts[shown - 1];
    const before = thoughts[shown - 2]?.prediction;
    this.#board.show(
      lookOf(this.#kind, {
        ...puzzle,
        ...(thought === undefined ? {} : { answer: thought.prediction }),
        ...(before === undefined ? {} : { before }),
      }),
    );
    const slider = find<HTMLInputElement>('cycle');
    slider.max = String(Math.max(1, thoughts.length));
    slider.value = String(shown);
    slider.disabled = thoughts.length === 0;
    find('cycle-text').textContent = shown === 0 ? 'the puzzle' : `cycle ${shown} of ${thoughts.length}`;
    find('think').textContent = this.#playing ? 'Pause' : 'Think';
    find('search').textContent = this.#searching ? 'Stop' : 'Search until sure';
    find<HTMLButtonElement>('reset').disabled = thoughts.length === 0;
    find('status').textContent = this.#statusText(thought);
    const open = openCells(puzzle);
    const rights = thoughts.map((each) => rightShare(each, puzzle, open));
    drawChart(find('sure-chart'), {
      label: `Certainty after each cycle: ${thoughts.map((each) => percent(certainty(each))).join(', ') || 'none yet'}`,
      curves: [
        { look: 'sure', name: 'sure', shares: thoughts.map(certainty) },
        ...(puzzle.solution === undefined
          ? []
          : [{ look: 'right', name: 'open cells right', shares: rights } as const]),
      ],
      cycles: Math.max(this.#cycles, thoughts.length, 4),
      scale: 'equal',
      now: shown,
    });
    find('sure-text').textContent =
      thought === undefined
        ? 'After each cycle, the model says how likely its answer is to be right.'
        : `After cycle ${shown} it gives its answer a chance of ${percent(certainty(thought))}.`;
  }

  #statusText(thought: ThinkResult | undefined): string {
    const { question, solution } = this.#puzzle;
    const several = 'This board does not have exactly one solution: only cells that contradict each other are marked.';
    if (thought === undefined) {
      if (solution === undefined) return this.#drawnBroken === '' ? several : '';
      return this.#own ? 'Your puzzle. Press Think.' : '';
    }
    if (solution === undefined) return several;
    const wrong = thought.prediction.filter((token, i) => token !== solution[i]).length;
    if (wrong > 0) return `${plural(wrong, 'cell')} of ${question.length} ${wrong === 1 ? 'is' : 'are'} wrong.`;
    const first = this.#thoughts.findIndex(({ prediction }) => prediction.every((token, i) => token === solution[i]));
    return `Solved after ${plural(first + 1, 'cycle')}.`;
  }
}

/** Fifty puzzles, cycle by cycle; further cycles continue from those already made. */
class Many {
  running = false;
  puzzles = 0;
  /** By cycle: puzzles solved, and puzzles the model is sure of. */
  solved: number[] = [];
  sure: number[] = [];
  #job: RunningJob<ManyResult> | undefined;
  #read: ShownPuzzle[] = [];

  clear(): void {
    this.running = false;
    void this.#job?.stop();
    this.#job = undefined;
    this.#read = [];
    this.solved = [];
    this.sure = [];
  }

  async run(thinker: Thinker, kind: Kind, cycles: number, onCycle: () => void): Promise<void> {
    this.running = true;
    onCycle();
    if (this.#read.length === 0) this.#read = kind.puzzles.map(({ question }) => readPuzzle(kind, question));
    const read = this.#read;
    this.puzzles = read.length;
    this.#job ??= await thinker.start({
      kind: 'many',
      model: address(kind),
      puzzles: read.map(({ question }) => question),
      seats: seatsOfMany,
    });
    const job = this.#job;
    try {
      while (this.running && this.solved.length < cycles) {
        let [solved, sure] = [0, 0];
        for (let done = 0; done < read.length; ) {
          const part = await job.next();
          if (part === undefined || job !== this.#job) return; // cleared meanwhile
          for (const [seat, { prediction, haltLogit }] of part.results.entries()) {
            const right = read[part.from + seat]?.solution;
            if (right !== undefined && prediction.every((token, i) => token === right[i])) solved++;
            if (haltLogit > sureLogit) sure++;
          }
          done = part.from + part.results.length;
        }
        this.solved.push(solved);
        this.sure.push(sure);
        onCycle();
      }
    } finally {
      if (job === this.#job) this.running = false;
    }
  }
}

/** The name of a puzzle's source in a sentence. */
const sourceNames: Readonly<Record<string, string>> = {
  'sudoku-extreme': 'Sudoku-Extreme',
  'public-domain': 'public-domain',
  generated: 'generated',
};

function levelName({ puzzle, levels }: Kind, level: number): string {
  const [least, next] = [levels[level]!, levels[level + 1]];
  const unit = puzzle === 'maze' ? 'cells long' : least === 1 && next === 2 ? 'guess' : 'guesses';
  const range = next === undefined ? `${least} or more` : next === least + 1 ? `${least}` : `${least} to ${next - 1}`;
  return `${range} ${unit}`;
}

function openCells({ question, solution }: ShownPuzzle): number[] {
  return solution === undefined ? [] : [...question.keys()].filter((i) => question[i] !== solution[i]);
}

function rightShare({ prediction }: ThinkResult, { solution }: ShownPuzzle, open: readonly number[]): number {
  return open.length === 0 ? 1 : open.filter((i) => prediction[i] === solution?.[i]).length / open.length;
}

function address({ model }: Kind): string {
  return new URL(model, document.baseURI).href;
}

async function catalogue(): Promise<readonly Kind[]> {
  const response = await fetch(new URL('catalogue.json', import.meta.url)).catch(() => undefined);
  if (response?.ok !== true) throw new Error('A file of this page is missing on the server: think/catalogue.json.');
  return (await response.json()) as readonly Kind[];
}

guarded(async () => {
  if (location.protocol === 'file:') return; // the page itself has said so already
  const [kinds, thinker] = await Promise.all([catalogue(), Thinker.open('wasm', script)]);
  const page = new Page(kinds, thinker);
  await page.open(kinds[0]!);
  document.documentElement.dataset['ready'] = 'true';
  await page.speedUp();
});
