/**
 * Progress of a long command on standard error: a line that rewrites itself on a terminal, a line now and then
 * elsewhere.
 */
import { progressLine } from '../progress.js';

/** Shows how far a stage is, its rate and the time left. */
export class TerminalProgress {
  #stage = '';
  #startedAt = 0;
  #before = 0;
  #shownAt = -Infinity;

  /** `stage` names what is done, `unit` the things counted; `note` ends the line. */
  update(stage: string, unit: string, done: number, total: number, note = ''): void {
    const now = performance.now();
    if (stage !== this.#stage) {
      this.end();
      [this.#stage, this.#startedAt, this.#before] = [stage, now, done];
    }
    const terminal = process.stderr.isTTY;
    if (done < total && now - this.#shownAt < (terminal ? 200 : 10_000)) return;
    this.#shownAt = now;
    const line = progressLine({
      stage,
      unit,
      done,
      total,
      note,
      seconds: (now - this.#startedAt) / 1000,
      before: this.#before,
    });
    process.stderr.write(terminal ? `\r\u001b[K${line}` : `${line}\n`);
  }

  /** Leaves the last line standing. */
  end(): void {
    if (process.stderr.isTTY && this.#stage !== '') process.stderr.write('\n');
    this.#stage = '';
    this.#shownAt = -Infinity;
  }
}
