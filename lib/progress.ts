/** Progress in words: how far, how fast, how much longer; and where it is shown. */

/** How far a long task has come. */
export interface TaskProgress {
  /** What is being done, and what is counted: "training", "steps". */
  readonly stage: string;
  readonly unit: string;
  readonly done: number;
  /** Infinity if unknown. */
  readonly total: number;
  /** Seconds since the task began, and how many of `done` an earlier run did (a resumed run). */
  readonly seconds: number;
  readonly before?: number;
  /** Text at the end of the line. */
  readonly note?: string;
}

/** "training: 120/600 steps · 10 steps/s · 48 s left · loss 0.31"; at the end, without the times. */
export function progressLine({ stage, unit, done, total, seconds, before = 0, note = '' }: TaskProgress): string {
  const rate = seconds > 0 ? (done - before) / seconds : 0;
  const parts = total < 100 ? 10 : 1; // of few things, unfinished ones count in tenths
  const shown = Math.floor(parts * done + 1e-6) / parts;
  const running = done < total && rate > 0;
  return [
    `${stage}: ${shown}${total === Infinity ? '' : `/${total}`} ${unit}`,
    ...(running ? [rateText(rate, unit)] : []),
    ...(running && total < Infinity ? [`${duration((total - done) / rate)} left`] : []),
    ...(note === '' ? [] : [note]),
  ]
    .join(' · ')
    .replaceAll(/\p{Cc}/gu, '�'); // a name must not steer the terminal
}

/**
 * A rate with its significant digits: "12 steps/s", "0.25 steps/s"; slower rates are given per minute or per hour.
 */
function rateText(rate: number, unit: string): string {
  if (rate >= 10) return `${rate.toFixed(0)} ${unit}/s`;
  if (rate >= 0.1) return `${rate.toFixed(2)} ${unit}/s`;
  return rate * 60 >= 0.1 ? `${(rate * 60).toFixed(2)} ${unit}/min` : `${(rate * 3600).toFixed(2)} ${unit}/h`;
}

/** Seconds as people say them: 42 s, 3 min 10 s, 2 h 5 min. */
export function duration(seconds: number): string {
  const whole = Math.round(seconds);
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`;
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`;
}

/** Yields to the event loop, so that output is written, and signals and messages are handled. */
export function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Where progress is shown. */
export interface ProgressPlace {
  /** Minimum milliseconds between two lines of a stage; its last line is always shown. */
  every(): number;
  /** `share`: fraction done, 0 … 1. */
  show(line: string, share: number): void;
  /** Leaves the last line standing. */
  end(): void;
}

/** Whether a line of progress stands on the terminal without its end. */
let open = false;

/** Ends the line of progress that stands open on a terminal, if there is one: other text begins a line of its own. */
export function endProgressLine(): void {
  if (open) process.stderr.write('\n');
  open = false;
}

/** Standard error: one line, rewritten in place, on a terminal; elsewhere a new line every ten seconds. */
const standardError: ProgressPlace = {
  every: () => (process.stderr.isTTY ? 200 : 10_000),
  show: (line) => {
    open = process.stderr.isTTY;
    process.stderr.write(open ? `\r\u001b[K${line}` : `${line}\n`);
  },
  end: endProgressLine,
};

/** Shows the progress of a task, stage by stage: its rate and the time left. */
export class Progress {
  readonly #place: ProgressPlace;
  #stage = '';
  #startedAt = 0;
  #before = 0;
  #done = 0;
  #shownAt = -Infinity;

  constructor(place: ProgressPlace = standardError) {
    this.#place = place;
  }

  /**
   * `stage` names what is done, `unit` what is counted, `note` ends the line. A new stage restarts the clock, and
   * whatever is done by then does not count in its rate. A smaller `done` begins a new stage of the same name.
   */
  update(stage: string, unit: string, done: number, total: number, note = ''): void {
    const now = performance.now();
    if (stage !== this.#stage || done < this.#done) {
      this.#place.end();
      [this.#stage, this.#startedAt, this.#before, this.#shownAt] = [stage, now, done, -Infinity];
    }
    this.#done = done;
    if (done < total && now - this.#shownAt < this.#place.every()) return;
    this.#shownAt = now;
    const seconds = (now - this.#startedAt) / 1000;
    this.#place.show(progressLine({ stage, unit, done, total, note, seconds, before: this.#before }), done / total);
  }

  /** Ends the stage. A command needs no call: whatever it prints ends the line. */
  end(): void {
    this.#place.end();
    this.#stage = '';
  }
}
